// Package exercise_test holds the workshop's exercise to what its chapter says
// of it: the real programs, on loopback, with a real orders-svc beside them.
package exercise_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/shoptest"
)

// all are the programs that are payments-svc: where the workshop begins, where
// it ends, and what overlay dev has.
var all = []string{"payments-starter", "solution", "payments-svc"}

// shop is orders-svc and one of the programs, by their URLs.
type shop struct{ orders, payments string }

func startShop(t *testing.T, program string) shop {
	t.Helper()
	orders := start(t, "orders-svc", database(t))
	return shop{orders, startPayments(t, program, orders)}
}

// startPayments starts one of the programs; the starter and the solution need
// no database, and take no notice of one.
func startPayments(t *testing.T, program, ordersURL string) string {
	t.Helper()
	return start(t, program, database(t), "ORDER_SERVICE_URL="+ordersURL)
}

func database(t *testing.T) string {
	return "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "shop.db")
}

func (s shop) newOrder(t *testing.T) string {
	t.Helper()
	return shoptest.Do(t, "POST", s.orders+"/orders", "", `{"user_id":"ann","product_ids":["L9ECAV7KIM"]}`).Want(t, 200).Member(t, "id")
}

func (s shop) pay(t *testing.T, order string) shoptest.Answer {
	t.Helper()
	return shoptest.Do(t, "POST", s.payments+"/payments", "", fmt.Sprintf(`{"user_id":"ann","order_id":%q,"amount":89.89}`, order))
}

func (s shop) get(t *testing.T, payment string) shoptest.Answer {
	t.Helper()
	return shoptest.Do(t, "GET", s.payments+"/payments/"+payment, "", "")
}

// The flaw.
func TestStarterTakesAPaymentTwice(t *testing.T) {
	s := startShop(t, "payments-starter")
	order := s.newOrder(t)
	first, second := s.pay(t, order).Want(t, 200), s.pay(t, order).Want(t, 200)
	if first.Member(t, "id") == second.Member(t, "id") {
		t.Errorf("both payments are %s", first.Body)
	}
	for _, payment := range []shoptest.Answer{first, second} {
		if got := s.get(t, payment.Member(t, "id")).Want(t, 200); got.Body != payment.Body {
			t.Errorf("later %s, was %s", got.Body, payment.Body)
		}
	}
}

func TestSolutionTakesAPaymentOnce(t *testing.T) {
	for _, program := range []string{"solution", "payments-svc"} {
		t.Run(program, func(t *testing.T) {
			s := startShop(t, program)
			order := s.newOrder(t)
			paid := s.pay(t, order).Want(t, 200)
			s.pay(t, order).WantDetail(t, 403, "Already Paid")
			if got := s.get(t, paid.Member(t, "id")).Want(t, 200); got.Body != paid.Body {
				t.Errorf("later %s, was %s", got.Body, paid.Body)
			}
			s.pay(t, s.newOrder(t)).Want(t, 200)
		})
	}
}

// Whoever asks before, and marks the order later, takes several payments of those
// that come at the same moment.
func TestPaymentsAtTheSameMoment(t *testing.T) {
	for program, most := range map[string]int{"payments-starter": 20, "solution": 1, "payments-svc": 1} {
		t.Run(program, func(t *testing.T) {
			s := startShop(t, program)
			order := s.newOrder(t)
			body := fmt.Sprintf(`{"user_id":"ann","order_id":%q,"amount":89.89}`, order)
			statuses := make(chan int)
			for range 20 {
				go func() {
					response, err := http.Post(s.payments+"/payments", "application/json", strings.NewReader(body))
					if err != nil {
						t.Error(err)
						statuses <- 0
						return
					}
					response.Body.Close()
					statuses <- response.StatusCode
				}()
			}
			taken := 0
			for range 20 {
				switch status := <-statuses; status {
				case http.StatusOK:
					taken++
				case http.StatusForbidden:
				default:
					t.Errorf("status %d, want 200 or 403", status)
				}
			}
			if taken != most {
				t.Errorf("%d payments are taken, want %d", taken, most)
			}
		})
	}
}

// What does not hang on the flaw is the same in all.
func TestContract(t *testing.T) {
	for _, program := range all {
		t.Run(program, func(t *testing.T) {
			s := startShop(t, program)
			if hi := shoptest.Do(t, "GET", s.payments+"/healthz", "", "").Want(t, 201); hi.Body != `{"message":"Hi Mom!"}` {
				t.Errorf("it says %s", hi.Body)
			}
			order := s.newOrder(t)
			paid := s.pay(t, order).Want(t, 200)
			id := paid.Member(t, "id")
			if want := `{"id":"` + id + `","user_id":"ann","order_id":"` + order + `","amount":89.89,"status":"paid"}`; paid.Body != want {
				t.Errorf("it answers %s, want %s", paid.Body, want)
			}
			if got := s.get(t, id).Want(t, 200); got.Body != paid.Body {
				t.Errorf("later %s, was %s", got.Body, paid.Body)
			}
			if status := shoptest.Do(t, "GET", s.orders+"/orders/"+order, "", "").Want(t, 200).Member(t, "status"); status != "paid" {
				t.Errorf("the order is %s", status)
			}
			s.pay(t, "nope").WantDetail(t, 404, "Order not found")
			s.get(t, "nope").WantDetail(t, 404, "Payment not found")
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, program := range all {
		t.Run(program, func(t *testing.T) {
			payments := startPayments(t, program, "http://127.0.0.1:1")
			for _, bad := range []struct {
				method, path, body string
				status             int
				detail             string
			}{
				{"POST", "/payments", `{"user_id":"ann","order_id":"o"}`, 422, "amount: is required"},
				{"POST", "/payments", `{"user_id":"ann","order_id":"o","amount":0}`, 422, "amount: expected number >= 0.01"},
				{"POST", "/payments", `{"user_id":"ann","order_id":"o","amount":89.891}`, 422, "amount: must have at most two decimals"},
				{"POST", "/payments", `{"user_id":"ann","order_id":"o","amount":"89.89"}`, 422, "amount: expected number"},
				{"POST", "/payments", `{"user_id":"ann","order_id":"","amount":1}`, 422, "order_id: expected length >= 1"},
				{"POST", "/payments", `{"order_id":"o","amount":1}`, 422, "user_id: is required"},
				{"POST", "/payments", `{"user_id":"ann","order_id":"8a5b9f0c-1f6e-4d1c-9a3e-2f7b6c5d4e3f","amount":1}`, 502, "orders-svc cannot be reached"},
				{"POST", "/payments/o", "", 405, ""},
				{"POST", "/payments", `{"user_id":`, 400, ""},
				{"GET", "/nothing", "", 404, ""},
			} {
				answer := shoptest.Do(t, bad.method, payments+bad.path, "", bad.body).Want(t, bad.status)
				detail, mime := answer.Member(t, "detail"), answer.Header.Get("Content-Type")
				if mime != "application/problem+json" || detail == "" || bad.detail != "" && detail != bad.detail {
					t.Errorf("%s %s %s: %s %q, want detail %q", bad.method, bad.path, bad.body, mime, detail, bad.detail)
				}
			}
		})
	}
}

// Saved requests and generated clients work with all of them: what the exercise
// offers, payments-svc offers too. It has a header more, which may be left out.
func TestTheyDescribeThemselvesAlike(t *testing.T) {
	var described []map[string]any
	for _, program := range all {
		var description map[string]any
		shoptest.Do(t, "GET", startPayments(t, program, "http://127.0.0.1:1")+"/openapi.json", "", "").Want(t, 200).Into(t, &description)
		if text := fmt.Sprint(description["paths"]); !strings.Contains(text, "the detail `Already Paid`") {
			t.Errorf("it does not say how it refuses an order that is paid: %s", text)
		}
		delete(description["info"].(map[string]any), "description") // payments-svc is a sentence ahead.
		described = append(described, description)
	}
	for i, description := range described[1:] {
		if !has(description, described[0]) {
			t.Errorf("%s describes itself as\n%v\n%s as\n%v", all[i+1], description, all[0], described[0])
		}
	}
}

// has reports whether a JSON value has all that is in another one.
func has(value, other any) bool {
	switch other := other.(type) {
	case map[string]any:
		members, ok := value.(map[string]any)
		for name, member := range other {
			ok = ok && has(members[name], member)
		}
		return ok
	case []any:
		items, ok := value.([]any)
		for _, item := range other {
			ok = ok && slices.ContainsFunc(items, func(v any) bool { return has(v, item) })
		}
		return ok
	}
	return reflect.DeepEqual(value, other)
}

// The solution is the starter with a few other lines in one place, so that they do
// not drift apart.
func TestSolutionIsTheStarterAndTheCheck(t *testing.T) {
	starter, solution := program(t, "../../../cmd/payments-starter/main.go"), program(t, "solution/main.go")
	for len(starter) > 0 && len(solution) > 0 && starter[0] == solution[0] {
		starter, solution = starter[1:], solution[1:]
	}
	for len(starter) > 0 && len(solution) > 0 && starter[len(starter)-1] == solution[len(solution)-1] {
		starter, solution = starter[:len(starter)-1], solution[:len(solution)-1]
	}
	if removed := strings.Join(starter, ""); len(starter) > 3 || !strings.Contains(removed, "s.orders.SetStatus(") {
		t.Errorf("the solution is without these lines of the starter:\n%s", removed)
	}
	if added := strings.Join(solution, ""); len(solution) > 8 || !strings.Contains(added, "Already Paid") {
		t.Errorf("the solution adds %d lines, want at most 8:\n%s", len(solution), added)
	}
}

// program returns the lines of a program's file without the comment on top.
func program(t *testing.T, file string) []string {
	t.Helper()
	source, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(string(source), "\npackage main\n")
	if !found {
		t.Fatalf("%s is no program", file)
	}
	return strings.SplitAfter(code, "\n")
}
