//go:build linux

package chaos

import (
	"math"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/money"
)

const price = money.Amount(10908)

// planted are a ledger and books of one order, which was paid by one payment. The
// order came after a backup that was restored.
type planted struct {
	ledger ledger
	books  books
	order  *order
	paid   api.Payment
}

var backedUp = restores{{begun: time.Unix(0, 0), done: time.Unix(1000, 0)}}

func plant() *planted {
	p := api.Payment{ID: "p1", UserID: "ann", OrderID: "o", Amount: price, Status: api.StatusPaid}
	o := &order{id: "o", user: user{id: "ann"}, amount: price, asked: time.Unix(100, 0), opened: time.Unix(101, 0), attempts: []attempt{{status: 200, payment: p}}}
	amount := price
	all := &planted{order: o, paid: p, ledger: ledger{orders: []*order{o}}, books: books{
		payments: map[string]api.Payment{}, paidFor: map[string][]api.Payment{},
		orders: map[string]api.Order{"o": {ID: "o", UserID: "ann", Status: api.StatusPaid, Amount: &amount, PaymentID: "p1"}},
	}}
	all.record(p)
	return all
}

// record puts a payment on record.
func (all *planted) record(p api.Payment) {
	all.books.payments[p.ID] = p
	if p.Status == api.StatusPaid {
		all.books.paidFor[p.OrderID] = append(all.books.paidFor[p.OrderID], p)
	}
}

// second returns another payment for the order.
func (all *planted) second(status string) api.Payment {
	p := all.paid
	p.ID, p.Status = "p2", status
	return p
}

// forget loses what the database has of the order's payments.
func (all *planted) forget() {
	all.books.payments, all.books.paidFor = map[string]api.Payment{}, map[string][]api.Payment{}
}

// setOrder changes the order on record.
func (all *planted) setOrder(status, payment string) {
	o := all.books.orders["o"]
	o.Status, o.PaymentID = status, payment
	all.books.orders["o"] = o
}

func (all *planted) findings() findings {
	return append(append(all.books.differences(), all.ledger.breaches(all.books)...), all.ledger.winners()...)
}

// excuses are those of the scenes, and some that would cover everything.
func (all *planted) excuses(late int) []excuse {
	list := []excuse{lateExcuse(late, 1000), backedUp.excuse(&all.ledger)}
	for _, k := range []kind{chargedTwice, paymentLost, paidByNone, answerLost, answerWrong, notTheOrders} {
		list = append(list, excuse{name: "anything goes", of: k, most: math.MaxInt})
	}
	return list
}

func TestWhatMustNeverBeIsNotExcused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(all *planted)
		want  kind
	}{
		"two paid payments":         {func(all *planted) { all.record(all.second(api.StatusPaid)) }, chargedTwice},
		"two for a lost order":      {func(all *planted) { all.record(all.second(api.StatusPaid)); delete(all.books.orders, "o") }, chargedTwice},
		"two clients were told":     {func(all *planted) { all.tell(all.second(api.StatusPaid)) }, chargedTwice},
		"the payment is not there":  {func(all *planted) { all.forget() }, paymentLost},
		"the payment was refused":   {func(all *planted) { all.forget(); refused := all.paid; refused.Status = "refused"; all.record(refused) }, paymentLost},
		"the payment is pending":    {func(all *planted) { all.forget(); late := all.paid; late.Status = api.StatusPending; all.record(late) }, paymentLost},
		"the order is pending":      {func(all *planted) { all.setOrder(api.StatusPending, "") }, paymentLost},
		"the order names none":      {func(all *planted) { all.setOrder(api.StatusPaid, "") }, paidByNone},
		"the order names a refused": {func(all *planted) { all.record(all.second("refused")); all.setOrder(api.StatusPaid, "p2") }, paidByNone},
		"the order names another's": {func(all *planted) {
			p := all.second(api.StatusPaid)
			p.OrderID = "x"
			all.record(p)
			all.setOrder(api.StatusPaid, "p2")
		}, paidByNone},
		"no answer ever":           {func(all *planted) { all.ledger.wrong(answerLost, "o", "409 for ever") }, answerLost},
		"another amount":           {func(all *planted) { all.order.attempts[0].strange = "another amount" }, answerWrong},
		"another amount on record": {func(all *planted) { all.forget(); p := all.paid; p.Amount++; all.record(p) }, notTheOrders},
	} {
		t.Run(name, func(t *testing.T) {
			all := plant()
			tc.spoil(all)
			left, covered := all.findings().without(all.excuses(100))
			for _, f := range left {
				if f.kind == tc.want && f.order == "o" {
					return
				}
			}
			t.Errorf("left are %+v, want one that says %s; excused are %v", left, tc.want, covered)
		})
	}
}

// tell has a client be told of a payment that is on record, as any other is.
func (all *planted) tell(p api.Payment) {
	all.books.payments[p.ID] = p
	all.order.attempts = append(all.order.attempts, attempt{status: 200, payment: p})
}

func TestExcusesAreNarrow(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(all *planted)
		late  int
		left  int
	}{
		"nothing":                        {func(*planted) {}, 0, 0},
		"one is not settled and late":    {func(all *planted) { all.record(all.second(api.StatusPending)) }, 1, 0},
		"one is not settled, none late":  {func(all *planted) { all.record(all.second(api.StatusPending)) }, 0, 1},
		"two are not settled, one late":  {func(all *planted) { p := all.second(api.StatusPending); all.record(p); p.ID = "p3"; all.record(p) }, 1, 2},
		"the order is lost":              {func(all *planted) { delete(all.books.orders, "o") }, 0, 0},
		"the order was backed up":        {func(all *planted) { delete(all.books.orders, "o"); all.order.opened = time.Unix(-1, 0) }, 0, 2},
		"the order came later":           {func(all *planted) { delete(all.books.orders, "o"); all.order.asked = time.Unix(2000, 0) }, 0, 2},
		"no client knows the lost order": {func(all *planted) { delete(all.books.orders, "o"); all.ledger.orders = nil }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			all := plant()
			tc.spoil(all)
			if left, covered := all.findings().without(all.excuses(tc.late)); len(left) != tc.left {
				t.Errorf("left are %+v, want %d; excused are %v", left, tc.left, covered)
			}
		})
	}
	if most := lateExcuse(500, 1000).most; most != 100 {
		t.Errorf("%d of 1000 may be late, want 100", most)
	}
}
