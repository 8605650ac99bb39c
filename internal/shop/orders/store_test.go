package orders

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

func newStore(t *testing.T, url string) *store {
	t.Helper()
	return &store{databasetest.Open(t, url, schema, migrations)}
}

func create(t *testing.T, s *store, user string, amount *money.Amount) api.Order {
	t.Helper()
	order := api.Order{ID: uuid.NewString(), UserID: user, ProductIDs: []string{"L9ECAV7KIM", "OLJCESPC7Z"}, Amount: amount}
	created, err := s.create(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func TestOrdersSurviveARestart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		amount := money.Amount(10908)
		with, without := create(t, newStore(t, url), "ann", &amount), create(t, newStore(t, url), "ann", nil)
		s := newStore(t, url)
		for _, want := range []api.Order{with, without} {
			got, err := s.get(t.Context(), want.ID)
			if err != nil || fmt.Sprint(got.ProductIDs) != fmt.Sprint(want.ProductIDs) || got.UserID != "ann" || got.Status != "pending" {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
			if (got.Amount == nil) != (want.Amount == nil) || got.Amount != nil && *got.Amount != amount {
				t.Errorf("amount %v, want %v", got.Amount, want.Amount)
			}
		}
		if _, err := s.get(t.Context(), "nope"); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown order: %v", err)
		}
	})
}

func TestOrdersOfAUser(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStore(t, url)
		for range latest + 5 {
			create(t, s, "ann", nil)
		}
		last := create(t, s, "ann", nil)
		if _, err := s.db.ExecContext(t.Context(), `UPDATE orders SET created_at = created_at + 1000 WHERE id = $1`, last.ID); err != nil {
			t.Fatal(err)
		}
		create(t, s, "bob", nil)
		got, err := s.byUser(t.Context(), "ann")
		if err != nil || len(got) != latest || got[0].ID != last.ID {
			t.Errorf("%d orders, first %s, %v; want %d, first %s", len(got), got[0].ID, err, latest, last.ID)
		}
		if got, err := s.byUser(t.Context(), "cid"); err != nil || len(got) != 0 {
			t.Errorf("a user without orders has %v, %v", got, err)
		}
	})
}

func TestStatusSteps(t *testing.T) {
	type step struct {
		status, payment string
		want            fault.Code
	}
	for name, steps := range map[string][]step{
		"seed's form":                   {{"pending", "", ""}, {"paid", "", ""}, {"paid", "", ""}, {"pending", "", fault.Conflict}},
		"one payment wins":              {{"paid", "p1", ""}, {"paid", "p1", ""}, {"paid", "p2", fault.Conflict}, {"paid", "p1", ""}},
		"paid without identity":         {{"paid", "", ""}, {"paid", "p1", fault.Conflict}},
		"repeat without identity":       {{"paid", "p1", ""}, {"paid", "", ""}, {"paid", "p2", fault.Conflict}},
		"pending names no payer":        {{"pending", "p1", ""}, {"paid", "p2", ""}, {"paid", "p1", fault.Conflict}},
		"a payment cannot step back":    {{"paid", "p1", ""}, {"pending", "p1", fault.Conflict}},
		"an unknown order is not found": nil,
	} {
		t.Run(name, func(t *testing.T) {
			databasetest.Each(t, func(t *testing.T, url string) {
				s := newStore(t, url)
				id := create(t, s, "ann", nil).ID
				for i, step := range steps {
					got, err := s.setStatus(t.Context(), id, step.status, payer{paymentID: step.payment})
					if fault.CodeOf(err) != step.want || err == nil && got.Status != step.status {
						t.Fatalf("step %d %+v: %+v, %v", i, step, got, err)
					}
				}
				if _, err := s.setStatus(t.Context(), "nope", "paid", payer{paymentID: "p1"}); !fault.Is(err, fault.NotFound) {
					t.Errorf("unknown order: %v", err)
				}
			})
		})
	}
}

// TestExactlyOnePaymentWins has two replicas and many payments at once.
func TestExactlyOnePaymentWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		replicas := []*store{newStore(t, url), newStore(t, url)}
		id := create(t, replicas[0], "ann", nil).ID
		var winner atomic.Pointer[string]
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				payment := fmt.Sprintf("payment-%d", i)
				_, err := replicas[i%2].setStatus(t.Context(), id, "paid", payer{paymentID: payment})
				switch {
				case err == nil && !winner.CompareAndSwap(nil, &payment):
					t.Errorf("%s won too", payment)
				case err != nil && !fault.Is(err, fault.Conflict):
					t.Errorf("%s: %v", payment, err)
				}
			})
		}
		all.Wait()
		if winner.Load() == nil {
			t.Fatal("no payment won")
		}
		if _, err := replicas[1].setStatus(t.Context(), id, "paid", payer{paymentID: *winner.Load()}); err != nil {
			t.Errorf("the winner's repeat: %v", err)
		}
	})
}

func TestPaidOrdersAreFoundByTheirPayment(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := newStore(t, url), t.Context()
		pending, withoutPayment, order := create(t, s, "ann", nil), create(t, s, "ann", nil), create(t, s, "ann", nil)
		if _, err := s.setStatus(ctx, withoutPayment.ID, "paid", payer{paymentID: ""}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.setStatus(ctx, order.ID, "paid", payer{paymentID: "p1"}); err != nil || got.PaymentID != "p1" {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := s.paidBy(ctx, "p1"); err != nil || got.ID != order.ID {
			t.Errorf("paid by p1: %+v, %v", got, err)
		}
		if _, err := s.paidBy(ctx, "p2"); !fault.Is(err, fault.NotFound) {
			t.Errorf("paid by p2: %v", err)
		}
		var ids []string
		for after := ""; ; {
			page, err := s.paid(ctx, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			after = page[0].ID
			ids = append(ids, after)
		}
		if want := slices.Sorted(slices.Values([]string{withoutPayment.ID, order.ID})); !slices.Equal(ids, want) {
			t.Errorf("paid orders %v, want %v", ids, want)
		}
		for _, tc := range []struct {
			id, old, payment string
			want             fault.Code
		}{
			{order.ID, "p0", "p2", fault.Conflict}, {order.ID, "", "p2", fault.Conflict}, {order.ID, "p1", "p2", ""}, {order.ID, "p1", "p2", ""},
			{withoutPayment.ID, "", "p3", ""}, {pending.ID, "", "p4", fault.Conflict}, {"nope", "", "p4", fault.NotFound},
		} {
			got, err := s.replacePayment(ctx, tc.id, tc.old, tc.payment)
			if fault.CodeOf(err) != tc.want || err == nil && got.PaymentID != tc.payment {
				t.Errorf("%+v: %+v, %v", tc, got, err)
			}
		}
	})
}
