package shop_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(bareAddress); address != "" {
		if err := serveBare(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := databasetest.Main(m)
	if err := removePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const loafersAndSunglasses = `{"product_ids": ["L9ECAV7KIM", "OLJCESPC7Z"]}`

// TestTheSeedsFlow walks the user flow of the workshop.
func TestTheSeedsFlow(t *testing.T) {
	eachDatabase(t, func(t *testing.T, s *shop) {
		do := shoptest.Do
		gate := s.gateway.URL() + "/api/v1"
		ann, bob := s.signUp(t, "ann"), s.signUp(t, "bob")

		var found []api.Product
		for _, path := range []string{"/products", "/products/category/footwear", "/products/search/lofers"} {
			do(t, "GET", gate+path, "", "").Want(t, 200).Into(t, &found)
		}
		if len(found) != 1 || found[0].Name != "Loafers" {
			t.Errorf("search found %+v", found)
		}
		do(t, "GET", gate+"/products/OLJCESPC7Z", "", "").Want(t, 200)
		do(t, "GET", gate+"/products/NOPE", "", "").WantDetail(t, 404, "Product not found")
		do(t, "GET", gate+"/products/search/zzzz", "", "").WantDetail(t, 404, "No products found")

		order := do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200)
		orderID := order.Member(t, "order.id")
		want := fmt.Sprintf(`{"order":{"id":%q,"user_id":%q,"product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"status":"pending"},"amount":109.08}`, orderID, ann.id)
		if order.Body != want {
			t.Errorf("created %s\nwant    %s", order.Body, want)
		}

		pay := func(token, amount string) shoptest.Answer {
			return do(t, "POST", gate+"/payments/pay", token, fmt.Sprintf(`{"order_id": %q, "amount": %s}`, orderID, amount))
		}
		for _, wrong := range []string{"109.09", "109.07999", "109.080001", "0", "-109.08", "1e30", "1e400", "1" + strings.Repeat("0", 1900)} {
			pay(ann.token, wrong).WantDetail(t, 400, "Invalid Amount")
		}
		pay(ann.token, `"109.08"`).WantDetail(t, 422, "amount: expected number")
		pay(bob.token, "109.08").WantDetail(t, 404, "Order not found")
		paid := pay(ann.token, "109.08").Want(t, 200)
		paymentID := paid.Member(t, "id")
		want = fmt.Sprintf(`{"id":%q,"user_id":%q,"order_id":%q,"amount":109.08,"status":"paid"}`, paymentID, ann.id, orderID)
		if paid.Body != want {
			t.Errorf("paid %s\nwant %s", paid.Body, want)
		}
		pay(ann.token, "109.08").WantDetail(t, 403, "Already Paid")
		if got := pay(ann.token, "109.08").Member(t, "payment_id"); got != paymentID {
			t.Errorf("the refusal names payment %s, want %s", got, paymentID)
		}

		status := gate + "/payments/status/" + paymentID
		if got := do(t, "GET", status, ann.token, "").Want(t, 200); got.Body != want {
			t.Errorf("status %s\nwant   %s", got.Body, want)
		}
		do(t, "GET", status, bob.token, "").WantDetail(t, 404, "Payment not found")
		do(t, "GET", gate+"/order/"+orderID, bob.token, "").WantDetail(t, 404, "Order not found")

		s.restart(t)
		gate = s.gateway.URL() + "/api/v1"
		want = fmt.Sprintf(`{"id":%q,"user_id":%q,"product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"status":"paid","amount":109.08,"payment_id":%q}`, orderID, ann.id, paymentID)
		if got := do(t, "GET", gate+"/order/"+orderID, ann.token, "").Want(t, 200); got.Body != want {
			t.Errorf("after a restart %s\nwant            %s", got.Body, want)
		}
		if got := do(t, "GET", gate+"/orders", ann.token, "").Want(t, 200); got.Body != "["+want+"]" {
			t.Errorf("orders %s\nwant   [%s]", got.Body, want)
		}
		if got := do(t, "GET", gate+"/orders", bob.token, "").Want(t, 200); got.Body != "[]" {
			t.Errorf("bob has orders: %s", got.Body)
		}
		do(t, "GET", gate+"/payments/status/"+paymentID, ann.token, "").Want(t, 200)
	})
}

func TestUnknownProductMakesNoOrder(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	shoptest.Do(t, "POST", gate+"/order/create", ann.token, `{"product_ids":["L9ECAV7KIM","NOPE"]}`).WantDetail(t, 404, "Product not found: NOPE")
	shoptest.Do(t, "POST", gate+"/order/create", ann.token, `{"product_ids":[]}`).WantDetail(t, 422, "product_ids: expected array length >= 1")
	if got := shoptest.Do(t, "GET", s.orders.URL()+"/orders?user_id="+ann.id, "", "").Want(t, 200); got.Body != "[]" {
		t.Errorf("orders: %s", got.Body)
	}
}

// TestOrderInTheSeedsForm is created on orders-svc itself, without an amount;
// the price at which it is first seen is what must be paid.
func TestOrderInTheSeedsForm(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	create := func(product string) string {
		body := fmt.Sprintf(`{"user_id":%q,"product_ids":[%q]}`, ann.id, product)
		return shoptest.Do(t, "POST", s.orders.URL()+"/orders", "", body).Want(t, 200).Member(t, "id")
	}
	mug, gone := create("6E92ZMYYFZ"), create("GONE")
	if got := shoptest.Do(t, "GET", gate+"/order/"+mug, ann.token, "").Want(t, 200); !strings.HasSuffix(got.Body, `"amount":8.99}`) {
		t.Error(got.Body)
	}
	if got := shoptest.Do(t, "GET", s.orders.URL()+"/orders/"+mug, "", "").Want(t, 200); !strings.HasSuffix(got.Body, `"amount":8.99}`) {
		t.Errorf("the amount was not fixed: %s", got.Body)
	}
	shoptest.Do(t, "GET", gate+"/order/"+gone, ann.token, "").Want(t, 200)
	shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":1}`, gone)).WantDetail(t, 400, "Invalid Amount")
	shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":8.990}`, mug)).Want(t, 200)
}

func TestForgedTokens(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	shoptest.Do(t, "GET", gate+"/orders", ann.token, "").Want(t, 200)
	missing := shoptest.Do(t, "POST", gate+"/order/create", "", loafersAndSunglasses).Want(t, 401)
	if got := missing.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	for name, forged := range map[string]string{
		"malformed": "x", "shared secret": forge(t, ann.token, jwt.SigningMethodHS256, []byte("mysecretkey")),
		"alg none":        forge(t, ann.token, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"payload changed": changePayload(t, ann.token),
	} {
		answer := shoptest.Do(t, "GET", gate+"/orders", forged, "")
		if answer.Status != 401 || answer.Header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
			t.Errorf("%s: %d, WWW-Authenticate %q", name, answer.Status, answer.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestTwoTokensAreNone(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.gateway.URL()+"/api/v1/orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = []string{"Bearer " + ann.token, "Bearer x"}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// forge signs the claims of a good token, header included, by another method.
func forge(t *testing.T, good string, method jwt.SigningMethod, key any) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(good, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	parsed.Method, parsed.Header["alg"] = method, method.Alg()
	forged, err := parsed.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

// changePayload makes a good token another user's and keeps its signature.
func changePayload(t *testing.T, good string) string {
	t.Helper()
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["user_id"] = "somebody"
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

func TestServicesDownAndSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: it waits for answers that do not come")
	}
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	order := shoptest.Do(t, "POST", s.gateway.URL()+"/api/v1/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")

	calls := map[string][3]string{ // by the service that fails
		"product-svc":  {"GET", "/api/v1/products", ""},
		"orders-svc":   {"GET", "/api/v1/order/" + order, ""},
		"payments-svc": {"POST", "/api/v1/payments/pay", fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order)},
		"user-svc":     {"GET", "/api/v1/orders", ""},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, tc := range map[string]struct {
				url    string
				status int
				detail string
			}{
				"down": {"http://127.0.0.1:1", 502, name + " cannot be reached"},
				"slow": {blackHole(t), 504, name + " did not answer in time"},
			} {
				base := shoptest.Start(t, s.gatewayWith(t, name, tc.url))
				begin := time.Now()
				shoptest.Do(t, call[0], base+call[1], ann.token, call[2]).WantDetail(t, tc.status, tc.detail)
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("%s: the answer took %v", kind, took)
				}
			}
		})
	}
}

// blackHole accepts connections and never answers.
func blackHole(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return "http://" + ln.Addr().String()
}
