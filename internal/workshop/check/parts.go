package check

import (
	"context"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

// The first services come by Tilt, and without those that need them.
const (
	tiltUsers    = "tilt up user-svc"
	tiltProducts = "tilt up user-svc product-svc orders-svc"
)

func (l *look) users() []report.Step {
	steps := append(l.base(tiltUsers), l.deployed(tiltUsers, "user-svc")...)
	return append(steps, report.Step{Name: "log in", Needs: []string{"user-svc"}, Look: func(ctx context.Context) report.Finding {
		if err := l.part("user-svc").LogIn(ctx, customer()); err != nil {
			return report.Fail(l.kubectl("logs deployment/user-svc"), "%v", err)
		}
		return report.Pass("signed up, and logged in")
	}})
}

func (l *look) products() []report.Step {
	steps := append(l.base(tiltProducts), l.deployed(tiltProducts, "product-svc", "orders-svc")...)
	return append(steps,
		report.Step{Name: "find", Needs: []string{"product-svc"}, Look: func(ctx context.Context) report.Finding {
			if err := l.part("product-svc").Find(ctx); err != nil {
				return report.Fail(l.kubectl("logs deployment/product-svc"), "%v", err)
			}
			return report.Pass("sunglas finds sunglasses")
		}},
		report.Step{Name: "order", Needs: []string{"orders-svc"}, Look: func(ctx context.Context) report.Finding {
			id, err := l.part("orders-svc").Order(ctx)
			if err != nil {
				return report.Fail(l.kubectl("logs deployment/orders-svc"), "%v", err)
			}
			return report.Pass("order %s is pending", id)
		}},
	)
}

func (l *look) part(service string) flow.Part {
	return flow.Part{URL: l.cluster.URL(service), Client: l.client}
}
