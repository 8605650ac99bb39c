package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// minor is the oldest Kubernetes v1 in which port-forwards and executables go
// through WebSockets.
const minor = 31

// maxSkew is how far the clocks may be apart. A token of the shop is good for an
// hour, and one of a cloud for minutes.
const maxSkew = 30 * time.Second

func (l Laptop) cluster() []report.Step {
	var c *cluster.Shop
	return []report.Step{
		{Name: "registry", Look: l.lookAtRegistry},
		{Name: "answers", Look: func(ctx context.Context) (finding report.Finding) {
			c, finding = l.lookAtCluster(ctx)
			return finding
		}},
		{Name: "clock", Needs: []string{"answers"}, Look: func(ctx context.Context) report.Finding {
			return lookAtClock(ctx, c)
		}},
		{Name: "rights", Needs: []string{"answers"}, Look: func(ctx context.Context) report.Finding {
			return lookAtRights(ctx, c)
		}},
	}
}

func (l Laptop) lookAtCluster(ctx context.Context) (*cluster.Shop, report.Finding) {
	const next = "choose the workshop's cluster with KUBECONFIG or --context; is a VPN needed, or in the way?"
	c, err := l.Connect()
	if err != nil {
		return nil, cluster.Failed(err, next)
	}
	version, err := c.Version(ctx)
	if err != nil {
		return nil, cluster.Failed(err, next)
	}
	var major, has int
	if n, _ := fmt.Sscanf(version.GitVersion, "v%d.%d", &major, &has); n == 2 && major == 1 && has < minor {
		return nil, report.Fail(fmt.Sprintf("take a cluster of Kubernetes v1.%d or newer", minor), "%s, Kubernetes %s", c.Config.Host, version.GitVersion)
	}
	return c, report.Pass("%s, Kubernetes %s", c.Config.Host, version.GitVersion)
}

// lookAtClock compares the clock with the API server's, of which an answer has
// the second.
func lookAtClock(ctx context.Context, c *cluster.Shop) report.Finding {
	client, err := rest.HTTPClientFor(c.Config)
	if err != nil {
		return report.Fail("", "%v", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.Config.Host, "/")+"/version", nil)
	if err != nil {
		return report.Fail("", "%v", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return report.Fail("try again", "%v", err)
	}
	response.Body.Close()
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return report.Warn("", "the API server does not say what time it is: %v", err)
	}
	skew := time.Since(theirs).Round(time.Second)
	if skew.Abs() > maxSkew {
		return report.Fail("let the system set the clock, or tokens are too old or too young", "it is %s off the cluster's", skew)
	}
	return report.Pass("right")
}

// rights are what an attendee does in the namespace.
var rights = []struct{ verb, group, resource, subresource string }{
	{"create", "apps", "deployments", ""},
	{"patch", "apps", "deployments", ""},
	{"delete", "apps", "deployments", ""},
	{"create", "apps", "statefulsets", ""},
	{"create", "policy", "poddisruptionbudgets", ""},
	{"create", "", "services", ""},
	{"create", "", "persistentvolumeclaims", ""},
	{"list", "", "pods", ""},
	{"get", "", "pods", "log"},
	{"create", "", "pods", "exec"},
	{"create", "", "pods", "portforward"},
}

func lookAtRights(ctx context.Context, c *cluster.Shop) report.Finding {
	var missing []string
	for _, right := range rights {
		attributes := &authorizationv1.ResourceAttributes{
			Namespace: c.Namespace, Verb: right.verb, Group: right.group, Resource: right.resource, Subresource: right.subresource,
		}
		allowed, err := may(ctx, c, attributes)
		if err != nil {
			return report.Fail("", "%v", err)
		}
		if !allowed {
			missing = append(missing, strings.TrimSuffix(right.verb+" "+right.resource+"/"+right.subresource, "/"))
		}
	}
	if len(missing) > 0 {
		return report.Fail("ask whoever gives the workshop for a kubeconfig, and choose your namespace with --namespace",
			"in namespace %s you may not %s", c.Namespace, strings.Join(missing, ", "))
	}
	if err := c.Get(ctx, client.ObjectKey{Name: c.Namespace}, &corev1.Namespace{}); apierrors.IsNotFound(err) {
		allowed, err := may(ctx, c, &authorizationv1.ResourceAttributes{Verb: "create", Resource: "namespaces"})
		if err != nil {
			return report.Fail("", "%v", err)
		}
		if !allowed {
			return report.Fail("ask whoever gives the workshop to make it", "there is no namespace %s, and you may not make it", c.Namespace)
		}
	}
	return report.Pass("all that is needed in namespace %s", c.Namespace)
}

func may(ctx context.Context, c *cluster.Shop, attributes *authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
	if err := c.Create(ctx, review); err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
