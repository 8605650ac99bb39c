package check

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	stepIntercept = "intercept"
	stepAnswers   = "who answers"
)

func (l *look) payments() []report.Step { return l.intercepted("payments-svc") }
func (l *look) gateway() []report.Step  { return l.intercepted("api-gateway") }

// intercepted says that the requests of a service are answered here.
func (l *look) intercepted(service string) []report.Step {
	return append(append(l.base(makeDeploy), l.connected()...),
		report.Step{Name: stepIntercept, Needs: []string{stepNames}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtIntercept(ctx, service)
		}},
		// Without an intercept of ours it may be somebody else's laptop.
		report.Step{Name: stepAnswers, Needs: []string{stepNames}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtAnswer(ctx, service)
		}},
		report.Step{Name: stepFlow, Needs: []string{stepAnswers}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtFlow(ctx, l.personally(ctx, http.DefaultClient))
		}},
	)
}

// makeIntercept starts the service of the workshop here, which is not that of
// overlay dev, and leads its requests to it.
func makeIntercept(service string) string {
	return "make intercept SVC=" + service + " OVERLAY=workshop"
}

func (l *look) lookAtIntercept(ctx context.Context, service string) report.Finding {
	intercepts, err := telepresence.Intercepts(ctx)
	if err != nil {
		return report.Fail("telepresence quit --stop-daemons, and connect again", "%v", err)
	}
	for _, found := range intercepts {
		switch {
		case found.Service != service || found.Namespace != l.cluster.Namespace:
		case !found.Active:
			return report.Fail("telepresence leave "+found.Name+", and "+makeIntercept(service), "the intercept %s is not active", found.Name)
		case len(found.Headers) > 0:
			return report.Pass("leads requests with %s to %s of %s", headers(found), found.Target(), found.Client)
		default:
			return report.Pass("leads to %s of %s", found.Target(), found.Client)
		}
	}
	return report.Fail(makeIntercept(service), "this laptop has no intercept of %s", service)
}

// headers shows what requests an intercept is for.
func headers(i telepresence.Intercept) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(i.Headers)) {
		all = append(all, name+": "+i.Headers[name])
	}
	return strings.Join(all, ", ")
}

// lookAtAnswer asks the service by its name in the cluster who it is, several
// times: an intercept takes effect in one pod after the other, and a connection
// stays with the pod that it leads to.
func (l *look) lookAtAnswer(ctx context.Context, service string) report.Finding {
	client := l.personally(ctx, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	var finding report.Finding
	for range 8 {
		host, err := greet(ctx, client, l.cluster.URL(service))
		if err != nil {
			return report.Fail("start the service here, on the port of the intercept: "+makeIntercept(service), "nobody: %v", err)
		}
		if finding = l.who(ctx, service, host); finding.Status != report.Passed {
			return finding
		}
	}
	return finding
}

// who says who answers, by what they call themselves.
func (l *look) who(ctx context.Context, service, host string) report.Finding {
	switch host {
	case "":
		return report.Fail("run the service of this repository: "+makeIntercept(service), "a program that does not say where it runs")
	case hostname():
		return report.Pass("this laptop, %s", host)
	}
	if err := l.get(ctx, l.cluster.Namespace, host, &corev1.Pod{}); err == nil {
		return report.Fail(makeIntercept(service), "pod %s", host)
	}
	return report.Fail("one laptop at a time can have all requests: ask "+host+" to leave, or take a namespace of your own",
		"the laptop %s, and this one is %s", host, hostname())
}
