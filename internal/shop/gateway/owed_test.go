package gateway

import (
	"context"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/money"
)

func TestWhatIsOwed(t *testing.T) {
	o := newOwed()
	as := func(user, carried string) context.Context {
		return context.WithValue(baggage.With(t.Context(), carried), userKey{}, user)
	}
	amount := money.Amount(10908)
	o.note(as("ann", ""), api.Order{ID: "1", UserID: "ann", Amount: &amount})
	o.note(as("ann", ""), api.Order{ID: "2", UserID: "ann"})
	for name, tc := range map[string]struct {
		user, carried, order string
		amount               money.Amount
		want                 bool
	}{
		"the owner":          {"ann", "", "1", amount, true},
		"another user":       {"bob", "", "1", amount, false},
		"no user":            {"", "", "1", amount, false},
		"another amount":     {"ann", "", "1", amount + 1, false},
		"another orders-svc": {"ann", "attendee=ada", "1", amount, false},
		"without an amount":  {"ann", "", "2", 0, false},
		"an unknown order":   {"ann", "", "3", amount, false},
	} {
		if got := o.agrees(as(tc.user, tc.carried), tc.order, tc.amount); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
