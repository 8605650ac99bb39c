package class

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// contextPrefix begins the names of the contexts that attendees are given; the
// Tiltfile knows by it that a cluster is not production.
const contextPrefix = "koshop-"

// clusterEntry returns what the kubeconfig says of the cluster, without the
// leader's credentials and with the contents of the files that it refers to.
func clusterEntry(flags *genericclioptions.ConfigFlags) (*clientcmdapi.Cluster, error) {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if flags.Context != nil && *flags.Context != "" {
		raw.CurrentContext = *flags.Context
	}
	if err := clientcmdapi.MinifyConfig(&raw); err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	clear(raw.AuthInfos)
	if err := clientcmdapi.FlattenConfig(&raw); err != nil {
		return nil, fmt.Errorf("reading what the kubeconfig refers to: %w", err)
	}
	for _, entry := range raw.Clusters {
		entry.Extensions = nil // They are about the leader's machine.
		return entry, nil
	}
	return nil, errors.New("the kubeconfig's context names no cluster")
}

// Loopback says whether the address of the API server leads an attendee to
// their own machine.
func (c *School) Loopback() bool {
	address, err := url.Parse(c.entry.Server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(address.Hostname())
	return address.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// Server is the address of the API server.
func (c *School) Server() string { return c.entry.Server }

// kubeconfig returns the YAML of a kubeconfig in which one thing is chosen: the
// seat's account in its namespace.
func (c *School) kubeconfig(s seat, token string) ([]byte, error) {
	entry := c.entry.DeepCopy()
	// An attendee cannot look for the traffic manager in every namespace.
	manager, err := json.Marshal(map[string]any{"manager": map[string]string{"namespace": s.class.Manager}})
	if err != nil {
		return nil, err
	}
	entry.Extensions = map[string]runtime.Object{"telepresence.io": &runtime.Unknown{Raw: manager, ContentType: runtime.ContentTypeJSON}}
	name := contextPrefix + s.Attendee
	config := clientcmdapi.NewConfig()
	config.Clusters[s.class.Name] = entry
	config.AuthInfos[s.Attendee] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: s.class.Name, AuthInfo: s.Attendee, Namespace: s.Namespace}
	config.CurrentContext = name
	return clientcmd.Write(*config)
}

// prepare makes the directory of the kubeconfigs, which neither others nor Git
// read: there are tokens in it. In a directory that is there already, Git passes
// over the kubeconfigs only, and a .gitignore of somebody's stays as it is.
func prepare(dir string) error {
	ignored := "*"
	if _, err := os.Stat(dir); err == nil {
		ignored = kubeconfigFile("", "*")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, ".gitignore"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString(ignored + "\n")
	return errors.Join(err, file.Close())
}

// kubeconfigFile is where the kubeconfig of an attendee is.
func kubeconfigFile(dir, attendee string) string {
	return filepath.Join(dir, attendee+".kubeconfig")
}

// mayTouch refuses a file that is there and is no kubeconfig of the class: another
// one, in the same directory, may have an attendee of the same name.
func mayTouch(file, class string) error {
	config, err := clientcmd.LoadFromFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking whose %s is: %w", file, err)
	case config.Clusters[class] == nil:
		return fmt.Errorf("%s is there already and leads to %q, not to class %s: choose another directory with --dir, or give the attendee another name",
			file, slices.Sorted(maps.Keys(config.Clusters)), class)
	}
	return nil
}

// remove removes the kubeconfig of an attendee, unless it is not the class's.
func remove(dir, attendee, class string) error {
	file := kubeconfigFile(dir, attendee)
	if mayTouch(file, class) != nil {
		return nil
	}
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writeSecret writes a file, whole or not at all, that only its owner can read.
func writeSecret(name string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".*."+filepath.Base(name)) // Ignored by Git like the file itself.
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
