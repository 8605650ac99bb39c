package check

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

func (l *look) laptop() []report.Step {
	return []report.Step{
		{Name: "front door", Look: l.lookAtFrontDoor},
		{Name: stepFlow, Needs: []string{"front door"}, Look: l.lookAtFlowHere},
	}
}

func (l *look) lookAtFrontDoor(ctx context.Context) report.Finding {
	host, err := greet(ctx, localClient(), "http://"+l.place.FrontDoor)
	if err != nil {
		return report.Fail("make up", "no shop is at http://%s: %v", l.place.FrontDoor, err)
	}
	if host != hostname() {
		return report.Fail("stop what listens there, and make up", "not this laptop answers at http://%s, but %q", l.place.FrontDoor, host)
	}
	return report.Pass("http://%s", l.place.FrontDoor)
}

func (l *look) lookAtFlowHere(ctx context.Context) report.Finding {
	shop := flow.Shop{Gateway: "http://" + l.place.FrontDoor, Users: "http://user-svc.api." + l.place.FrontDoor, Client: localClient()}
	if _, err := shop.Buy(ctx, customer()); err != nil {
		return report.Fail("see what `make up` says: all five services must be ready", "%v", err)
	}
	return report.Pass("signed up, logged in, ordered for %s, paid", flow.Amount)
}

// localClient finds the names below localhost on this machine, as curl and
// browsers do; the systems' resolvers do not all do so.
func localClient() *http.Client {
	var dialer net.Dialer
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err == nil && strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort("localhost", port)
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
}
