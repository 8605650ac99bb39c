// Package kube is how the kit and the workshop reach a Kubernetes cluster: which
// one it is, what its objects are called, and the ways into its pods.
package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Cluster is a connection to a Kubernetes API server, and the namespace that a
// command is about.
type Cluster struct {
	client.WithWatch
	Config    *rest.Config
	Namespace string
	Reason    string // why it is this namespace, as in [Choice]
}

// patience bounds the first question: what is sent may be lost on the way, as
// where a VPN is missing.
const patience = 10 * time.Second

// Connect reads the kubeconfig that kubectl would with the same flags. It sends
// nothing to the cluster yet. Warnings of the API server go to warnings, each
// once; nil drops them. For kinds see [New].
func Connect(flags *genericclioptions.ConfigFlags, kinds meta.RESTMapper, warnings io.Writer) (*Cluster, error) {
	choice, err := Read(flags)
	if err != nil {
		return nil, err
	}
	if warnings != nil {
		choice.Config = rest.CopyConfig(choice.Config)
		choice.Config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	}
	c, err := New(choice.Config, choice.Namespace, kinds)
	if err != nil {
		return nil, err
	}
	c.Reason = choice.Reason
	return c, nil
}

// New returns the cluster of a configuration. It sends nothing to it yet. Warnings
// of the API server are dropped unless the configuration says who takes them. The
// kinds are those that the API server has, or, without asking it, [BuiltIn].
func New(config *rest.Config, namespace string, kinds meta.RESTMapper) (*Cluster, error) {
	// What these libraries log, they return as errors too.
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	config = rest.CopyConfig(config)
	config.QPS = -1 // The API server's own fairness bounds us, as it does kubectl.
	if config.WarningHandler == nil {
		config.WarningHandler = rest.NoWarnings{}
	}
	c, err := client.NewWithWatch(config, client.Options{Mapper: kinds})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	return &Cluster{WithWatch: c, Config: config, Namespace: namespace}, nil
}

// Host is the address of the API server.
func (c *Cluster) Host() string { return c.Config.Host }

// Version asks which Kubernetes this is. As the first question it also tells
// whether anybody answers.
func (c *Cluster) Version(ctx context.Context) (*version.Info, error) {
	asking, err := discovery.NewDiscoveryClientForConfig(c.Config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", c.Host(), err)
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := discovery.ToServerVersionInterfaceWithContext(asking).ServerVersionWithContext(patient)
	switch {
	case err == nil:
		return answer, nil
	case patient.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%s does not answer within %s", c.Host(), patience)
	}
	return nil, Explain(c.Host(), err)
}

// PodURL is where the API server leads into a pod: its subresource exec or
// portforward, with the options of that, which may be nil.
func (c *Cluster) PodURL(namespace, name, subresource string, options runtime.Object) (*url.URL, error) {
	pods, err := apiutil.RESTClientForGVK(corev1.SchemeGroupVersion.WithKind("Pod"), false, false, c.Config, scheme.Codecs, http.DefaultClient)
	if err != nil {
		return nil, err
	}
	request := pods.Get().Namespace(namespace).Resource("pods").Name(name).SubResource(subresource)
	if options != nil {
		request = request.VersionedParams(options, scheme.ParameterCodec)
	}
	return request.URL(), nil
}
