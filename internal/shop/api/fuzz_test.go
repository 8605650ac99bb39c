package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// taken is what an operation gets of a request with the body B.
type taken[B any] struct{ bodies []B }

type input[B any] struct{ Body B }

func (b *taken[B]) register(a huma.API, path string) {
	huma.Register(a, web.LargeBody(web.Operation(path[1:], http.MethodPost, path, "Take a body")),
		func(_ context.Context, in *input[B]) (*struct{}, error) {
			b.bodies = append(b.bodies, in.Body)
			return nil, nil
		})
}

// Orders and payments that an operation gets are within the bounds of the contract, and
// an amount is the number in the body. Others are refused.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"user_id":"ann","product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"amount":109.08}`, `{"user_id":"ann","order_id":"o","amount":1.0908e2}`, `{"amount":0.01}`, `{"amount":1000000.00}`,
		`{"user_id":"","product_ids":[]}`, `{"user_id":"a","product_ids":[""]}`, `{"amount":0.009}`, `{"amount":1000000.01}`, `{"amount":0.0100000000000000001}`, `{"amount":1e999}`, `{"amount":null}`, `{"amount":"1"}`,
		`{"user_id":"a","product_ids":["x"` + strings.Repeat(`,"x"`, 100) + `]}`, `{"user_id":"a","order_id":"` + strings.Repeat("é", 65) + `","amount":1}`, `{"Amount":5}`, `{"user_id":"a","product_ids":null,"amount":-1}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		orders, payments, amounts := &taken[api.CreateOrder]{}, &taken[api.CreatePayment]{}, &taken[api.FixAmount]{}
		service := web.NewHandler(web.Options{
			Telemetry: telemetry.New("test-svc"),
			Name:      "test-svc", Timeout: time.Minute, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
			Register: func(a huma.API) {
				orders.register(a, "/orders")
				payments.register(a, "/payments")
				amounts.register(a, "/amounts")
			},
			Started: func() bool { return true }, Stopping: func() bool { return false },
		})
		for _, path := range []string{"/orders", "/payments", "/amounts"} {
			answer := httptest.NewRecorder()
			service.ServeHTTP(answer, httptest.NewRequest("POST", path, strings.NewReader(string(body))))
			var problem struct{ Detail string }
			if answer.Code != http.StatusNoContent && (answer.Code < 400 || answer.Code > 499 || json.Unmarshal(answer.Body.Bytes(), &problem) != nil || problem.Detail == "") {
				t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
			}
		}
		for _, o := range orders.bodies {
			checkOrder(t, body, o)
		}
		for _, p := range payments.bodies {
			if !isShort(p.UserID) || !isShort(p.OrderID) {
				t.Errorf("%q is taken as %+v", body, p)
			}
			checkAmount(t, body, p.Amount)
		}
		for _, a := range amounts.bodies {
			checkAmount(t, body, a.Amount)
		}
	})
}

func checkOrder(t *testing.T, body []byte, o api.CreateOrder) {
	t.Helper()
	if !isShort(o.UserID) || len(o.ProductIDs) < 1 || len(o.ProductIDs) > 100 {
		t.Errorf("%q is taken as %+v", body, o)
	}
	for _, id := range o.ProductIDs {
		if !isShort(id) {
			t.Errorf("%q is taken as %+v", body, o)
		}
	}
	if o.Amount != nil {
		checkAmount(t, body, *o.Amount)
	}
}

func isShort(s string) bool { n := utf8.RuneCountInString(s); return n >= 1 && n <= 64 }

func checkAmount(t *testing.T, body []byte, d money.Decimal) {
	t.Helper()
	var sent struct{ Amount json.RawMessage }
	if err := json.Unmarshal(body, &sent); err != nil || string(sent.Amount) != string(d) {
		t.Errorf("%q is taken as %s, %v", body, d, err)
	}
	amount, err := d.Amount()
	if err != nil || amount < 1 || amount > 100_000_000 {
		t.Fatalf("%q is taken as %d, %v", body, amount, err)
	}
	exact, ok := new(big.Rat).SetString(string(sent.Amount))
	if !ok || exact.Mul(exact, big.NewRat(100, 1)).Cmp(big.NewRat(int64(amount), 1)) != 0 {
		t.Errorf("%s is taken as %d", sent.Amount, amount)
	}
}
