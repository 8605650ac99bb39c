package check

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/report"
)

// lookAtPersonal says whether attendees can intercept at the same time: in a
// shared namespace only by header, which the laptops and the traffic manager have
// to know.
func (l *look) lookAtPersonal(ctx context.Context, class []attendee) report.Finding {
	if !slices.ContainsFunc(class, func(a attendee) bool { return a.shared }) {
		return report.Skip("in a namespace of one's own, nobody is in the way of another")
	}
	next := fmt.Sprintf("install Telepresence %s or newer, here and in the cluster, or give each attendee a namespace: %s", telepresence.PersonalSince, makeClass)
	const oneAtATime = "one laptop at a time has the requests of a service"
	var managers appsv1.DeploymentList
	if err := l.cluster.List(ctx, &managers, client.MatchingFields{"metadata.name": telepresence.Manager}); err != nil {
		return forLeaders(err)
	}
	if len(managers.Items) == 0 {
		return report.Fail("telepresence helm install, and "+restoreClass, "no traffic manager is in the cluster")
	}
	for _, manager := range managers.Items {
		if version := telepresence.ManagerVersion(&manager); !telepresence.Personal(version) {
			return report.Warn(next, "the traffic manager in namespace %s is Telepresence %s: %s", manager.Namespace, version, oneAtATime)
		}
	}
	version, err := telepresence.Version(ctx)
	if err != nil {
		return report.Warn(next, "%v", err)
	}
	if !telepresence.Personal(version) {
		return report.Warn(next, "this laptop has Telepresence %s: %s", version, oneAtATime)
	}
	return report.Pass("Telepresence %s: make intercept … HEADER=baggage=attendee=NAME", version)
}

// personally returns a client whose requests carry what this laptop's intercepts
// ask for, so that it is this laptop which answers. Without such an intercept it
// is the client itself.
func (l *look) personally(ctx context.Context, client *http.Client) *http.Client {
	headers := http.Header{}
	for _, found := range l.ownIntercepts(ctx) {
		for name, value := range found.Headers {
			headers.Set(name, value)
		}
	}
	if len(headers) == 0 {
		return client
	}
	personal := *client
	personal.Transport = carrier{headers, cmp.Or[http.RoundTripper](client.Transport, http.DefaultTransport)}
	return &personal
}

// ownIntercepts are this laptop's in the shop, as far as that can be seen.
func (l *look) ownIntercepts(ctx context.Context) []telepresence.Intercept {
	status, err := telepresence.Read(ctx)
	if err != nil || !status.Connected() || !l.cluster.Is(status.Server) {
		return nil
	}
	found, err := telepresence.Intercepts(ctx)
	if err != nil {
		return nil // Who needs one asks again, and says so.
	}
	return slices.DeleteFunc(found, func(i telepresence.Intercept) bool { return i.Namespace != l.cluster.Namespace })
}

// carrier sends headers with each request.
type carrier struct {
	headers http.Header
	http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, c.headers)
	return c.RoundTripper.RoundTrip(r)
}
