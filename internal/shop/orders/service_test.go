package orders_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/orders"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func start(t *testing.T) string { return startOn(t, databasetest.SQLite(t)) }

const body = `{"user_id":"ann","product_ids":["L9ECAV7KIM","OLJCESPC7Z"]%s}`

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func TestCreateAndGet(t *testing.T) {
	base := start(t)
	for extra, amount := range map[string]string{
		``: ``, `,"status":"paid","id":"mine"`: ``, `,"amount":null`: ``,
		`,"amount":109.08`: `,"amount":109.08`, `,"amount":1.0908e2`: `,"amount":109.08`,
	} {
		created := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, extra)).Want(t, 200)
		want := `{"id":"ID","user_id":"ann","product_ids":["L9ECAV7KIM","OLJCESPC7Z"],"status":"pending"` + amount + `}`
		if got := uuids.ReplaceAllString(created.Body, "ID"); got != want {
			t.Errorf("with %q: %s, want %s", extra, got, want)
		}
		got := shoptest.Do(t, "GET", base+"/orders/"+created.Member(t, "id"), "", "").Want(t, 200)
		if got.Body != created.Body {
			t.Errorf("got %s, want %s", got.Body, created.Body)
		}
	}
	var list []api.Order
	shoptest.Do(t, "GET", base+"/orders?user_id=ann", "", "").Want(t, 200).Into(t, &list)
	if len(list) != 5 {
		t.Errorf("%d orders listed, want 5", len(list))
	}
}

func TestStatus(t *testing.T) {
	base := start(t)
	path := base + "/orders/" + shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id") + "/status"
	for _, tc := range []struct {
		query  string
		status int
	}{
		{"?status=pending", 200}, {"?status=paid&payment_id=p1", 200}, {"?status=paid&payment_id=p1", 200}, {"?status=paid", 200},
		{"?status=paid&payment_id=p2", 409}, {"?status=pending", 409}, {"?status=shipped", 422}, {"", 422},
	} {
		shoptest.Do(t, "PATCH", path+tc.query, "", "").Want(t, tc.status)
	}
	shoptest.Do(t, "PATCH", path+"?status=shipped", "", "").WantDetail(t, 422, `status: expected value to be one of "pending, paid"`)
	shoptest.Do(t, "PATCH", base+"/orders/nope/status?status=paid", "", "").WantDetail(t, 404, "Order not found")
}

func TestFixAmount(t *testing.T) {
	base := start(t)
	path := base + "/orders/" + shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id") + "/amount"
	shoptest.Do(t, "PATCH", path, "", `{"amount":0.001}`).Want(t, 422)
	for range 2 {
		if got := shoptest.Do(t, "PATCH", path, "", `{"amount":109.08}`).Want(t, 200); !strings.HasSuffix(got.Body, `"amount":109.08}`) {
			t.Error(got.Body)
		}
	}
	shoptest.Do(t, "PATCH", base+"/orders/nope/amount", "", `{"amount":1}`).WantDetail(t, 404, "Order not found")
}

func TestRefusals(t *testing.T) {
	base := start(t)
	long := strings.Repeat("x", 65)
	for _, tc := range []struct{ body, detail string }{
		{`{"product_ids":["a"]}`, "user_id: is required"},
		{`{"user_id":"ann"}`, "product_ids: is required"},
		{`{"user_id":"ann","product_ids":[]}`, "product_ids: expected array length >= 1"},
		{`{"user_id":"ann","product_ids":null}`, "product_ids: expected array"},
		{`{"user_id":"ann","product_ids":[1]}`, "product_ids[0]: expected string"},
		{`{"user_id":"ann","product_ids":[""]}`, "product_ids[0]: expected length >= 1"},
		{`{"user_id":"ann","product_ids":["` + long + `"]}`, "product_ids[0]: expected length <= 64"},
		{`{"user_id":"ann","product_ids":["a"` + strings.Repeat(`,"a"`, 100) + `]}`, "product_ids: expected array length <= 100"},
		{fmt.Sprintf(body, `,"amount":0`), "amount: expected number >= 0.01"},
		{fmt.Sprintf(body, `,"amount":1.001`), "amount: must have at most two decimals"},
		{fmt.Sprintf(body, `,"amount":"1"`), "amount: expected number"},
		{fmt.Sprintf(body, `,"amount":5,"AMOUNT":-5`), "amount: is given more than once"},
		{fmt.Sprintf(body, `,"amount":5,"AMOUNT":"x"`), "amount: is given more than once"},
		{fmt.Sprintf(body, `,"product_IDS":5`), "product_ids: is given more than once"},
		{fmt.Sprintf(body, `,"AMOUNT":-5`), "amount: expected number >= 0.01"},
		{fmt.Sprintf(body, `,"amount":1e400`), "amount: expected number <= 1e+06; amount: is too large"},
		{fmt.Sprintf(body, `,"amount":1`+strings.Repeat("0", 15000)), "amount: expected number <= 1e+06; amount: is too large"},
	} {
		shoptest.Do(t, "POST", base+"/orders", "", tc.body).WantDetail(t, 422, tc.detail)
	}
	shoptest.Do(t, "PATCH", base+"/orders//status?status=paid", "", "").WantDetail(t, 404, "Not Found")
	shoptest.Do(t, "GET", base+"/orders", "", "").WantDetail(t, 422, "user_id: required query parameter is missing")
	shoptest.Do(t, "GET", base+"/orders/nope", "", "").WantDetail(t, 404, "Order not found")
	shoptest.Do(t, "DELETE", base+"/orders/nope", "", "").Want(t, 405)
}

// TestTextThatNoDatabaseStores asks with NUL and with what is not UTF-8.
func TestTextThatNoDatabaseStores(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := startOn(t, url)
		for _, bad := range []string{"%00", "%ff"} {
			shoptest.Do(t, "GET", base+"/orders/"+bad, "", "").WantDetail(t, 404, "Not Found")
			shoptest.Do(t, "PATCH", base+"/orders/"+bad+"/status?status=paid", "", "").WantDetail(t, 404, "Not Found")
			shoptest.Do(t, "GET", base+"/orders?user_id="+bad, "", "").WantDetail(t, 422, "user_id: must be UTF-8 text without U+0000")
			shoptest.Do(t, "PATCH", base+"/orders/o/status?status=paid&payment_id="+bad, "", "").
				WantDetail(t, 422, "payment_id: must be UTF-8 text without U+0000")
		}
		shoptest.Do(t, "POST", base+"/orders", "", `{"user_id":"a\u0000","product_ids":["x"]}`).WantDetail(t, 422, "user_id: must not contain U+0000")
		shoptest.Do(t, "POST", base+"/orders", "", `{"user_id":"a\ud800","product_ids":["\ud800"]}`).WantDetail(t, 400, "body: is not valid JSON")
	})
}

// TestDatabaseComesAndGoes starts the service before its database.
func TestDatabaseComesAndGoes(t *testing.T) {
	db := databasetest.NewSwitch(t, databasetest.Postgres(t))
	srv := orders.New(orders.Config{Config: shoptest.Config(), Database: databasetest.Source(t, db.URL)}, shoptest.Log())
	started := make(chan error, 1)
	go func() { started <- srv.Start(t.Context()) }()
	select {
	case err := <-started:
		t.Fatal("ready without a database: ", err)
	case <-time.After(300 * time.Millisecond): // some attempts
	}
	db.On()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}()
	base := srv.URL()
	order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")

	db.Off()
	shoptest.Do(t, "GET", base+"/readyz", "", "").WantDetail(t, 503, "The service cannot reach its data, try again")
	shoptest.Do(t, "GET", base+"/livez", "", "").Want(t, 200)
	shoptest.Do(t, "GET", base+"/orders/"+order, "", "").WantDetail(t, 503, "The service cannot reach its data, try again")

	db.On()
	shoptest.Do(t, "GET", base+"/readyz", "", "").Want(t, 200)
	shoptest.Do(t, "GET", base+"/orders/"+order, "", "").Want(t, 200)
}
