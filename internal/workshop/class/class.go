// Package class holds a workshop's class on one cluster: a namespace with a
// quota for each attendee, or one that all share, an account that may do the
// workshop there and no more, and a kubeconfig for it.
package class

import (
	"context"
	"fmt"
	"maps"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/workshop/cluster"
)

// Label is on all that a class consists of; its value is the name of the class.
const (
	Label         = "workshop.koshop.dev/class"
	attendeeLabel = "workshop.koshop.dev/attendee"
)

// fieldManager owns what a class sets. It is not ko's: a leader's `ko apply`
// would take from a namespace the labels that an overlay does not have.
const fieldManager = "koshop-class"

// concurrency bounds how many attendees are dealt with at once.
const concurrency = 8

// School is a cluster that classes are held on.
type School struct {
	*kube.Cluster
	entry *clientcmdapi.Cluster // the kubeconfig's, with nothing in other files
}

// Connect reads the kubeconfig that kubectl would with the same flags. It sends
// nothing to the cluster yet.
func Connect(flags *genericclioptions.ConfigFlags) (*School, error) {
	if err := cluster.CheckEnvironment(flags); err != nil {
		return nil, err
	}
	c, err := kube.Connect(flags, kube.BuiltIn(), nil)
	if err != nil {
		return nil, err
	}
	entry, err := clusterEntry(flags)
	if err != nil {
		return nil, err
	}
	return &School{Cluster: c, entry: entry}, nil
}

// Class says who is taught, and how.
type Class struct {
	Name      string // tells the classes on a cluster apart
	Attendees []string
	Shared    string        // the namespace of all, or "" where each has their own
	Manager   string        // the namespace of Telepresence's traffic manager
	Overlays  []Overlay     // that attendees deploy, each to their own namespace
	Valid     time.Duration // how long a kubeconfig is
	Dir       string        // where kubeconfigs go
}

// seat is one attendee's place: a namespace, and an account in it.
type seat struct {
	class                        *Class
	Attendee, Namespace, Account string
}

func (c *Class) seat(attendee string) seat {
	if c.Shared != "" {
		return seat{class: c, Attendee: attendee, Namespace: c.Shared, Account: "attendee-" + attendee}
	}
	return seat{class: c, Attendee: attendee, Namespace: OwnNamespace(attendee), Account: "attendee"}
}

func (s seat) labels() map[string]string {
	return map[string]string{Label: s.class.Name, attendeeLabel: s.Attendee}
}

// apply sends the objects of one of the manifests into a namespace. What others
// have changed of them is as it was again.
func (c *School) apply(ctx context.Context, s seat, manifest, namespace string) error {
	objects, err := s.objects(manifest)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.GetKind() != "Namespace" {
			o.SetNamespace(namespace)
		}
		labels := s.labels()
		maps.Copy(labels, o.GetLabels())
		o.SetLabels(labels)
		err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(fieldManager), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("applying %s %s in namespace %s: %w", o.GetKind(), o.GetName(), namespace, err)
		}
	}
	return nil
}

// namespace returns a namespace as it is, or nil where there is none.
func (c *School) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	namespace := &corev1.Namespace{}
	err := c.Get(ctx, client.ObjectKey{Name: name}, namespace)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s for namespace %s: %w", c.entry.Server, name, err)
	}
	return namespace, nil
}

// token asks for a token of the seat's account; the API server may give it for
// less than was asked for.
func (c *School) token(ctx context.Context, s seat) (token string, until time.Time, err error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: s.Account, Namespace: s.Namespace}}
	seconds := int64(s.class.Valid.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	if err := c.SubResource("token").Create(ctx, account, request); err != nil {
		return "", time.Time{}, fmt.Errorf("asking for a token of ServiceAccount %s in namespace %s: %w", s.Account, s.Namespace, err)
	}
	return request.Status.Token, request.Status.ExpirationTimestamp.Time, nil
}
