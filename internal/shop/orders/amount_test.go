package orders

import (
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestTheAmountIsFixedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, first := newStore(t, url), money.Amount(10908)
		order := create(t, s, "ann", nil)
		for _, amount := range []money.Amount{first, first + 1} {
			got, err := s.fixAmount(t.Context(), order.ID, amount)
			if err != nil || got.Amount == nil || *got.Amount != first {
				t.Errorf("amount %v, %v; want %v", got.Amount, err, first)
			}
		}
		if _, err := s.fixAmount(t.Context(), "nope", first); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown order: %v", err)
		}
	})
}

// TestAnOrderThatIsStoredTwiceKeepsItsAmount stores an order again by another price,
// as a request does that is repeated after a crash.
func TestAnOrderThatIsStoredTwiceKeepsItsAmount(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, first, second := newStore(t, url), money.Amount(10908), money.Amount(8989)
		order := create(t, s, "ann", &first)
		order.Amount = &second
		got, err := s.create(t.Context(), order)
		if err != nil || *got.Amount != first || got.Status != api.StatusPending {
			t.Errorf("got %+v, %v; want the amount %v", got, err, first)
		}
		if got, err = s.setStatus(t.Context(), order.ID, api.StatusPaid, payer{"p1", &first}); err != nil {
			t.Fatal(err)
		}
		if again, err := s.create(t.Context(), order); err != nil || again.Status != api.StatusPaid || again.PaymentID != got.PaymentID {
			t.Errorf("got %+v, %v; want the paid order", again, err)
		}
	})
}

// TestARequestThatIsRepeatedAfterACrashIsToldTheFirstAmount repeats a request of the
// gateway after a crash of orders-svc and a change of prices.
func TestARequestThatIsRepeatedAfterACrashIsToldTheFirstAmount(t *testing.T) {
	url := databasetest.SQLite(t)
	base := shoptest.Start(t, New(Config{Config: shoptest.Config(), Database: databasetest.Source(t, url)}, shoptest.Log()))
	client := api.NewOrders(shoptest.URL(t, base))
	t.Cleanup(client.Close)
	key := api.Idempotency{IdempotencyKey: api.IdempotencyKey{Key: "key"}, Fingerprint: "what the client sent"}
	order := func(amount money.Decimal) api.Order {
		got, err := client.Create(t.Context(), key, api.CreateOrder{UserID: "ann", ProductIDs: api.ProductIDs{"L9ECAV7KIM"}, Amount: &amount})
		if err != nil || got.Amount == nil {
			t.Fatalf("%+v, %v", got, err)
		}
		return got
	}
	first := order("109.08")
	if _, err := newStore(t, url).db.ExecContext(t.Context(), `UPDATE idempotency_keys SET answer = NULL, busy_until = 0`); err != nil {
		t.Fatal(err)
	}
	if again := order("89.89"); again.ID != first.ID || *again.Amount != *first.Amount {
		t.Errorf("order %s of %v, want %s of %v", again.ID, again.Amount, first.ID, first.Amount)
	}
}

func TestAPaidOrderHasTheAmountThatWasPaid(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, due, other := newStore(t, url), money.Amount(500), money.Amount(8989)
		for name, initial := range map[string]*money.Amount{"with an amount": &due, "without an amount": nil} {
			id := create(t, s, "ann", initial).ID
			if initial != nil {
				if _, err := s.setStatus(t.Context(), id, api.StatusPaid, payer{"p1", &other}); !fault.Is(err, fault.Conflict) {
					t.Errorf("%s: paid by another amount: %v", name, err)
				}
			}
			for range 2 {
				if got, err := s.setStatus(t.Context(), id, api.StatusPaid, payer{"p1", &due}); err != nil || got.Amount == nil || *got.Amount != due {
					t.Errorf("%s: paid: %+v, %v", name, got, err)
				}
			}
			if got, err := s.fixAmount(t.Context(), id, other); err != nil || *got.Amount != due {
				t.Errorf("%s: the amount became %v, %v; want %v", name, got.Amount, err, due)
			}
			if _, err := s.setStatus(t.Context(), id, api.StatusPaid, payer{"p2", &other}); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: paid by another payment: %v", name, err)
			}
		}
	})
}

// TestAnOrderThatWasPaidWithoutAPaymentGetsNoAmount has an order that was set to paid
// in the seed's form: what was paid for it is unknown.
func TestAnOrderThatWasPaidWithoutAPaymentGetsNoAmount(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, amount := newStore(t, url), money.Amount(8989)
		id := create(t, s, "ann", nil).ID
		if got, err := s.setStatus(t.Context(), id, api.StatusPaid, payer{amount: &amount}); err != nil || got.Amount != nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := s.fixAmount(t.Context(), id, amount); err != nil || got.Amount != nil {
			t.Errorf("the amount became %v, %v", got.Amount, err)
		}
		if _, err := s.fixAmount(t.Context(), uuid.NewString(), amount); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown order: %v", err)
		}
	})
}

func TestTheAmountOfAPaymentIsChecked(t *testing.T) {
	base := shoptest.Start(t, New(Config{Config: shoptest.Config(), Database: databasetest.Source(t, databasetest.SQLite(t))}, shoptest.Log()))
	path := base + "/orders/" + shoptest.Do(t, "POST", base+"/orders", "", `{"user_id":"ann","product_ids":["x"],"amount":5}`).Want(t, 200).Member(t, "id")
	for amount, status := range map[string]int{"-5": 422, "5.001": 422, "5e0": 422, "x": 422, "0": 422, "0.00": 422, "5.01": 409} {
		shoptest.Do(t, "PATCH", path+"/status?status=paid&payment_id=p1&amount="+amount, "", "").Want(t, status)
	}
	shoptest.Do(t, "PATCH", path+"/status?status=paid&payment_id=p1&amount=6", "", "").WantDetail(t, 409, "The order has another amount")
	shoptest.Do(t, "PATCH", path+"/status?status=paid&payment_id=p1&amount=5.00", "", "").Want(t, 200)
}
