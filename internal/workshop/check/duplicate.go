package check

import (
	"context"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

func (l *look) duplicate() []report.Step {
	var bought flow.Receipt
	return append(l.base(makeDeploy),
		report.Step{Name: "pay", Needs: []string{stepNamespace}, Look: func(ctx context.Context) (finding report.Finding) {
			bought, finding = l.lookAtPayment(ctx)
			return finding
		}},
		report.Step{Name: "pay again", Needs: []string{"pay"}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtSecondPayment(ctx, bought)
		}},
	)
}

func (l *look) lookAtPayment(ctx context.Context) (flow.Receipt, report.Finding) {
	bought, err := l.shop(l.personally(ctx, l.client)).Buy(ctx, customer())
	if err != nil {
		return bought, report.Fail("make the shop work first: workshop check deploy", "%v", err)
	}
	return bought, report.Pass("order %s is paid: 200", bought.OrderID)
}

func (l *look) lookAtSecondPayment(ctx context.Context, bought flow.Receipt) report.Finding {
	second, err := l.shop(l.personally(ctx, l.client)).PayAgain(ctx, bought)
	switch {
	case err != nil:
		return report.Fail("the second payment of an order should be refused with 403 and the detail Already Paid", "%v", err)
	case second != "":
		return report.Fail("edit cmd/payments-starter/main.go: what does orders-svc know that it does not ask?",
			"200: the order is paid twice, by payments %s and %s", bought.PaymentID, second)
	}
	return report.Pass("refused: 403 Already Paid")
}
