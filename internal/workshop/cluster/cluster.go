// Package cluster is how the workshop's tool reaches a shop: the API server by
// the kubeconfig, and the services at the names that they have in the cluster.
package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kit/kubeconfig"
)

// Cluster is a cluster with a shop in one of its namespaces.
type Cluster struct {
	kubernetes.Interface
	Config    *rest.Config
	Namespace string
	Chosen    bool // whether somebody chose the namespace

	version *version.Info // what came of asking for it
	silence error
}

// workshop is the namespace of the overlays.
const workshop = "api"

// patience bounds the first question: what is sent may be lost on the way, as
// where a VPN is missing.
const patience = 10 * time.Second

// Connect reads the kubeconfig as kubectl does with the same flags, but for the
// namespace if neither a flag nor the kubeconfig, as an attendee's does, names
// one. It sends nothing to the cluster yet.
func Connect(flags *genericclioptions.ConfigFlags) (*Cluster, error) {
	if err := CheckEnvironment(flags); err != nil {
		return nil, err
	}
	choice, err := kubeconfig.Read(flags)
	if err != nil {
		return nil, err
	}
	chosen := *flags.Namespace != "" || choice.Namespace != metav1.NamespaceDefault
	if !chosen {
		choice.Namespace = workshop
	}
	c, err := New(choice.Config, choice.Namespace)
	if err != nil {
		return nil, err
	}
	c.Chosen = chosen
	return c, nil
}

// New returns the cluster of a configuration.
func New(config *rest.Config, namespace string) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // The API server's own fairness bounds us, as it does kubectl.
	config.WarningHandler = rest.NoWarnings{}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	return &Cluster{Interface: clientset, Config: config, Namespace: namespace}, nil
}

// Version asks which Kubernetes this is. As the first question it also tells
// whether anybody answers; it is asked once.
func (c *Cluster) Version(ctx context.Context) (*version.Info, error) {
	if c.version == nil && c.silence == nil {
		c.version, c.silence = c.askVersion(ctx)
	}
	return c.version, c.silence
}

func (c *Cluster) askVersion(ctx context.Context) (*version.Info, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := discovery.ToServerVersionInterfaceWithContext(c.Discovery()).ServerVersionWithContext(patient)
	switch {
	case err == nil:
		return answer, nil
	case patient.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%s does not answer within %s", c.Config.Host, patience)
	}
	return nil, kubeconfig.Explain(c.Config.Host, err)
}

// URL is where a service answers inside the cluster, and on a laptop that
// Telepresence has connected.
func (c *Cluster) URL(service string) string { return "http://" + service + "." + c.Namespace }

// Is reports whether an address is that of the cluster's API server.
func (c *Cluster) Is(server string) bool {
	return strings.TrimSuffix(server, "/") == strings.TrimSuffix(c.Config.Host, "/")
}
