package shop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// bareAddress and bareAnswers make the test binary a bare handler: an address to listen
// at, and the answers, as JSON, by their paths.
const (
	bareAddress = "SHOPTEST_BARE_ADDRESS"
	bareAnswers = "SHOPTEST_BARE_ANSWERS"
)

// serveBare is what remains of a service without its work.
func serveBare(address string) error {
	var answers map[string]string
	if err := json.Unmarshal([]byte(os.Getenv(bareAnswers)), &answers); err != nil {
		return err
	}
	mux := chi.NewMux()
	mux.Get("/readyz", func(http.ResponseWriter, *http.Request) {})
	for path, answer := range answers {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: within}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// rig is a shop whose services run by themselves, and a bare handler.
type rig struct {
	products, orders, payments, gateway, bare process
	userID, token                             string
}

func newRig(b *testing.B, database string) *rig {
	data := func(name string) string { return "DATABASE_URL=" + databasetest.For(database, name) }
	r := &rig{}
	users := startProgram(b, "user-svc", data("users"))
	r.products = startProgram(b, "product-svc")
	r.orders = startProgram(b, "orders-svc", data("orders"))
	r.payments = startProgram(b, "payments-svc", data("payments"), "ORDER_SERVICE_URL="+r.orders.url)
	r.gateway = startProgram(b, "api-gateway", "USER_SERVICE_URL="+users.url, "PRODUCTS_SERVICE_URL="+r.products.url,
		"ORDER_SERVICE_URL="+r.orders.url, "PAYMENTS_SERVICE_URL="+r.payments.url)
	const ann = `{"name":"Ann","email":"ann@example.com","password":"long enough"}`
	r.userID = textOf(b, post(users.url+"/users", "", ann), "id")
	r.token = textOf(b, post(users.url+"/login", "", ann), "access_token")
	r.bare = r.startBare(b)
	return r
}

// startBare starts a handler with the answers that the services give.
func (r *rig) startBare(b *testing.B) process {
	order := fetch(b, r.createOrder(0))
	payment := fetch(b, r.pay(b, 1)[0](0))
	answers, err := json.Marshal(map[string]string{"/list": string(fetch(b, get(r.products.url+"/products"))), "/order": string(order), "/payment": string(payment)})
	if err != nil {
		b.Fatal(err)
	}
	address := freeAddress(b)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), bareAddress+"="+address, bareAnswers+"="+string(answers))
	startCommand(b, command)
	p := process{address: address, url: "http://" + address, pid: command.Process.Pid}
	await(b, 10*time.Second, "the bare handler is ready", func() bool { return p.status("/readyz") == http.StatusOK })
	return p
}

// operations returns the operations that are compared.
func (r *rig) operations(b *testing.B) []compared {
	pay := r.pay(b, samples)
	return []compared{
		r.list(),
		{"order", [3]variant{r.createOrder, func(int) *http.Request {
			return post(r.orders.url+"/orders", "", fmt.Sprintf(`{"user_id":%q,"product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"amount":109.08}`, r.userID))
		}, func(int) *http.Request { return post(r.bare.url+"/order", "", loafersAndSunglasses) }}},
		{"payment", [3]variant{pay[0], pay[1], func(int) *http.Request { return post(r.bare.url+"/payment", "", loafersAndSunglasses) }}},
	}
}

func (r *rig) list() compared {
	return compared{"list", [3]variant{
		func(int) *http.Request { return get(r.gateway.url + "/api/v1/products") },
		func(int) *http.Request { return get(r.products.url + "/products") },
		func(int) *http.Request { return get(r.bare.url + "/list") },
	}}
}

func (r *rig) createOrder(int) *http.Request {
	return post(r.gateway.url+"/api/v1/order/create", r.token, loafersAndSunglasses)
}

// pay returns two ways to pay for so many orders each, through the gateway and direct.
func (r *rig) pay(b *testing.B, orders int) (ways [2]variant) {
	var ids []string
	for range 2 * orders {
		var created struct{ Order struct{ ID string } }
		if err := json.Unmarshal(fetch(b, r.createOrder(0)), &created); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, created.Order.ID)
	}
	return [2]variant{
		func(i int) *http.Request {
			return post(r.gateway.url+"/api/v1/payments/pay", r.token, fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, ids[i]))
		},
		func(i int) *http.Request {
			return post(r.payments.url+"/payments", "", fmt.Sprintf(`{"user_id":%q,"order_id":%q,"amount":109.08}`, r.userID, ids[orders+i]))
		},
	}
}

func get(url string) *http.Request { return newRequest(http.MethodGet, url, "", "") }

func post(url, token, body string) *http.Request {
	return newRequest(http.MethodPost, url, token, body)
}

// newRequest panics if the URL is not valid, which is a mistake of this package.
func newRequest(method, url, token, body string) *http.Request {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request
}

// fetch returns the body of an answer, which has to be 200.
func fetch(b *testing.B, request *http.Request) []byte {
	b.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %s, %v", request.URL, answer.Status, body, err)
	}
	return body
}

// textOf returns a member of the answer to a request.
func textOf(b *testing.B, request *http.Request, name string) string {
	b.Helper()
	var members map[string]string
	if err := json.Unmarshal(fetch(b, request), &members); err != nil {
		b.Fatal(err)
	}
	return members[name]
}
