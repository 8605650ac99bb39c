package check

import (
	"context"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

func (l *look) duplicate() []report.Step {
	var shop flow.Shop
	var bought flow.Receipt
	return append(l.base(makeDeploy),
		report.Step{Name: "pay", Needs: []string{stepNamespace}, Look: func(ctx context.Context) (finding report.Finding) {
			shop = l.shop(l.personally(ctx, l.client))
			bought, finding = lookAtPayment(ctx, shop)
			return finding
		}},
		report.Step{Name: "pay again", Needs: []string{"pay"}, Look: func(ctx context.Context) report.Finding {
			return lookAtSecondPayment(ctx, shop, bought)
		}},
		report.Step{Name: "pay at once", Needs: []string{"pay again"}, Look: func(ctx context.Context) report.Finding {
			return lookAtPaymentsAtOnce(ctx, shop, bought)
		}},
	)
}

func lookAtPayment(ctx context.Context, shop flow.Shop) (flow.Receipt, report.Finding) {
	bought, err := shop.Buy(ctx, customer())
	if err != nil {
		return bought, report.Fail("make the shop work first: bin/workshop check deploy", "%v", err)
	}
	return bought, report.Pass("order %s is paid: 200", bought.OrderID)
}

func lookAtSecondPayment(ctx context.Context, shop flow.Shop, bought flow.Receipt) report.Finding {
	second, err := shop.PayAgain(ctx, bought)
	switch {
	case err != nil:
		return report.Fail("the second payment of an order should be refused with 403 and the detail Already Paid", "%v", err)
	case second != "":
		return report.Fail("edit cmd/payments-starter/main.go: what does orders-svc know that it does not ask?",
			"200: the order is paid twice, by payments %s and %s", bought.PaymentID, second)
	}
	return report.Pass("refused: 403 Already Paid")
}

// lookAtPaymentsAtOnce says what is still to be had by those who have repaired the
// flaw for payments that come one after the other.
func lookAtPaymentsAtOnce(ctx context.Context, shop flow.Shop, bought flow.Receipt) report.Finding {
	const payments = 16
	taken, err := shop.PayAtOnce(ctx, bought, payments)
	switch {
	case err != nil:
		return report.Fail("every payment but the first should be refused with 403 and the detail Already Paid", "%v", err)
	case taken != 1:
		return report.Warn("they all found the order pending: let orders-svc say which one was first, by s.orders.MarkPaid",
			"of %d payments at the same moment %d were taken", payments, taken)
	}
	return report.Pass("of %d payments at the same moment 1 was taken", payments)
}
