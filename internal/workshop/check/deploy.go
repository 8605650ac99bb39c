package check

import (
	"context"
	"net/http"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	makeDeploy = "make deploy-workshop"
	stepFlow   = "user flow"
)

func (l *look) deploy() []report.Step {
	steps := append(l.base(makeDeploy), l.deployed(makeDeploy, services...)...)
	return append(steps, report.Step{Name: stepFlow, Needs: services, Look: func(ctx context.Context) report.Finding {
		return l.lookAtFlow(ctx, l.client)
	}})
}

// lookAtFlow buys something as a customer. Whether it could be paid twice is the
// matter of another chapter.
func (l *look) lookAtFlow(ctx context.Context, client *http.Client) report.Finding {
	if _, err := l.shop(client).Buy(ctx, customer()); err != nil {
		return report.Fail(l.kubectl("logs --selector=app.kubernetes.io/part-of=koshop --since=1m"), "%v", err)
	}
	return report.Pass("signed up, logged in, ordered for %s, paid", flow.Amount)
}
