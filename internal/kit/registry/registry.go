// Package registry finds the registry that a cluster advertises for images of its
// developers, as KEP-1755 has it: a ConfigMap says where to push, and by which name
// the nodes pull. https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kube"
)

// Where a cluster advertises its registry. A key is a version of the content, and the
// content of a version never changes.
const (
	Namespace = "kube-public"
	Name      = "local-registry-hosting"
	Key       = keyPrefix + "v1"
	keyPrefix = "localRegistryHosting."
)

// patience bounds the question: a cluster that is lost behind a VPN does not refuse it.
const patience = 10 * time.Second

// tokenFile is where a pod has the credentials of its ServiceAccount. client-go names
// no constant for it.
const tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// Registry is a registry that a cluster advertises. The zero value is none.
type Registry struct {
	// Host is where images are pushed to, from here: host or host:port.
	Host string
	// Runtime is what the container runtime of the nodes calls the same registry.
	Runtime string
	// Help is a URL that says how the registry is set up; it may be "".
	Help string

	cluster string // the address of its API server
}

// hosting is version 1 of what a cluster says.
type hosting struct {
	Host                     string `json:"host"`
	HostFromContainerRuntime string `json:"hostFromContainerRuntime"`
	HostFromClusterNetwork   string `json:"hostFromClusterNetwork"`
	Help                     string `json:"help"`
}

// Find asks a cluster for its registry, for at most 10 seconds. The error says what is
// there instead, and begins with the address of the API server or with the ConfigMap.
func Find(ctx context.Context, c *kube.Cluster) (Registry, error) {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var found corev1.ConfigMap
	err := c.Get(asking, client.ObjectKey{Namespace: Namespace, Name: Name}, &found)
	switch {
	case err == nil:
		return parse(found.Data, c)
	case ctx.Err() != nil:
		return Registry{}, context.Cause(ctx)
	case asking.Err() != nil:
		return Registry{}, fmt.Errorf("%s does not answer within %s", c.Host(), patience)
	case kube.IsAbsent(err):
		return Registry{}, fmt.Errorf("%s has no ConfigMap %s in namespace %s", c.Host(), Name, Namespace)
	}
	return Registry{}, kube.Explain(c.Host(), err)
}

// parse reads the ConfigMap of a cluster.
func parse(data map[string]string, c *kube.Cluster) (Registry, error) {
	place := fmt.Sprintf("ConfigMap %s in namespace %s of %s", Name, Namespace, c.Host())
	text, ok := data[Key]
	if !ok {
		return Registry{}, fmt.Errorf("%s has no %s, which this ko reads, but %s", place, Key, versions(data))
	}
	var said hosting
	if err := yaml.Unmarshal([]byte(text), &said); err != nil {
		return Registry{}, fmt.Errorf("%s in %s cannot be read: %w", Key, place, err)
	}
	return said.registry(place, c)
}

// versions says which others there are, for an error.
func versions(data map[string]string) string {
	var others []string
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if strings.HasPrefix(key, keyPrefix) {
			others = append(others, key)
		}
	}
	if len(others) == 0 {
		return "no other version either"
	}
	return strings.Join(others, ", ")
}

// registry gives the fields of version 1 their meaning. In a pod the registry has a name
// of its own, without which it cannot be reached from there.
func (h hosting) registry(place string, c *kube.Cluster) (Registry, error) {
	field, host := "host", h.Host
	if inPod(c.Config) {
		field, host = "hostFromClusterNetwork", h.HostFromClusterNetwork
	}
	if host == "" {
		return Registry{}, fmt.Errorf("%s in %s has no %s%s", Key, place, field, see(h.Help))
	}
	if err := checkHost(host); err != nil {
		return Registry{}, fmt.Errorf("%s in %s: %s: %w", Key, place, field, err)
	}
	found := Registry{Host: host, Help: h.Help, cluster: c.Host()}
	// By the KEP the nodes then use the value of host, whoever pushes.
	if found.Runtime = cmp.Or(h.HostFromContainerRuntime, h.Host, host); found.Runtime == host {
		return found, nil
	}
	if err := checkHost(found.Runtime); err != nil {
		return Registry{}, fmt.Errorf("%s in %s: hostFromContainerRuntime: %w", Key, place, err)
	}
	return found, nil
}

// checkHost refuses what is more or less than host:port, or a host that the name of an
// image would not tell from a repository, such as registry in registry/web.
func checkHost(host string) error {
	repository, err := name.NewRepository(host + "/image")
	if err != nil || repository.RegistryStr() != host {
		return fmt.Errorf("%q is not the host of a registry, such as localhost:5001", host)
	}
	return nil
}

// inPod reports whether the connection is that of a pod's ServiceAccount.
func inPod(config *rest.Config) bool { return config.BearerTokenFile == tokenFile }

// Pulled returns the name by which the nodes pull an image that was pushed to the
// registry: the repository and the digest or tag stay as they are. The zero value
// returns the image itself.
func (r Registry) Pulled(pushed name.Reference) (name.Reference, error) {
	rest, here := strings.CutPrefix(pushed.String(), r.Host+"/")
	if !here || r.Runtime == r.Host {
		return pushed, nil
	}
	pulled, err := name.ParseReference(r.Runtime + "/" + rest)
	if err != nil {
		return nil, fmt.Errorf("naming %s as the nodes pull it, from %s: %w", pushed, r.Runtime, err)
	}
	return pulled, nil
}

// Remedy says what to do when the registry takes no image.
func (r Registry) Remedy() string {
	return fmt.Sprintf("%s, which %s advertises, has to be reachable from here%s; "+
		"or set KO_DOCKER_REPO to another registry that the cluster pulls from", r.Host, r.cluster, see(r.Help))
}

// see refers to a page, if there is one.
func see(help string) string {
	if help == "" {
		return ""
	}
	return ": see " + help
}
