// Package cluster is how the workshop's tool reaches a shop: the API server by
// the kubeconfig, and the services at the names that they have in the cluster.
package cluster

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kube"
)

// Shop is a shop in a namespace of a cluster.
type Shop struct {
	*kube.Cluster
	Chosen bool // whether somebody chose the namespace

	version *version.Info // what came of asking for it
	silence error
}

// workshop is the namespace of the overlays.
const workshop = "api"

// Connect reads the kubeconfig as kubectl does with the same flags, but for the
// namespace if neither a flag nor the kubeconfig, as an attendee's does, names
// one. It sends nothing to the cluster yet.
func Connect(flags *genericclioptions.ConfigFlags) (*Shop, error) {
	if err := CheckEnvironment(flags); err != nil {
		return nil, err
	}
	choice, err := kube.Read(flags)
	if err != nil {
		return nil, err
	}
	chosen := *flags.Namespace != "" || choice.Namespace != metav1.NamespaceDefault
	if !chosen {
		choice.Namespace = workshop
	}
	s, err := New(choice.Config, choice.Namespace)
	if err != nil {
		return nil, err
	}
	s.Chosen = chosen
	return s, nil
}

// New returns the shop in a namespace.
func New(config *rest.Config, namespace string) (*Shop, error) {
	c, err := kube.New(config, namespace, kube.BuiltIn())
	if err != nil {
		return nil, err
	}
	return &Shop{Cluster: c}, nil
}

// Version asks which Kubernetes this is, once.
func (s *Shop) Version(ctx context.Context) (*version.Info, error) {
	if s.version == nil && s.silence == nil {
		s.version, s.silence = s.Cluster.Version(ctx)
	}
	return s.version, s.silence
}

// URL is where a service answers inside the cluster, and on a laptop that
// Telepresence has connected.
func (s *Shop) URL(service string) string { return "http://" + service + "." + s.Namespace }

// Is reports whether an address is that of the cluster's API server.
func (s *Shop) Is(server string) bool {
	return strings.TrimSuffix(server, "/") == strings.TrimSuffix(s.Host(), "/")
}
