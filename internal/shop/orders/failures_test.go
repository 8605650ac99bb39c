package orders_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestAnOrderThatCannotBeReadIsAnError has a row of which the products cannot be
// decoded: such an order is neither unknown nor left out of a list.
func TestAnOrderThatCannotBeReadIsAnError(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := startOn(t, url)
		order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")
		shoptest.Do(t, "PATCH", base+"/orders/"+order+"/status?status=paid&payment_id=p", "", "").Want(t, 200)
		db := databasetest.Open(t, url, "orders", fstest.MapFS{}) // The service has made its tables.
		if _, err := db.ExecContext(t.Context(), `UPDATE orders SET product_ids = '{' WHERE id = $1`, order); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/orders/" + order, "/orders/paid-by/p", "/orders?user_id=ann", "/orders/paid"} {
			shoptest.Do(t, "GET", base+path, "", "").Want(t, http.StatusInternalServerError)
		}
	})
}

// TestNoListIsEmptyBecauseTheDatabaseIsAway asks for lists when there is no database.
func TestNoListIsEmptyBecauseTheDatabaseIsAway(t *testing.T) {
	db := databasetest.NewSwitch(t, databasetest.Postgres(t))
	db.On()
	base := startOn(t, db.URL)
	order := shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, 200).Member(t, "id")
	db.Off()
	for _, path := range []string{"/orders?user_id=ann", "/orders/paid", "/orders/paid-by/p"} {
		shoptest.Do(t, "GET", base+path, "", "").Want(t, http.StatusServiceUnavailable)
	}
	for _, path := range []string{"/status?status=paid&payment_id=p", "/payment?old=p&payment_id=q"} {
		shoptest.Do(t, "PATCH", base+"/orders/"+order+path, "", "").Want(t, http.StatusServiceUnavailable)
	}
	shoptest.Do(t, "PATCH", base+"/orders/"+order+"/amount", "", `{"amount":1}`).Want(t, http.StatusServiceUnavailable)
	shoptest.Do(t, "POST", base+"/orders", "", fmt.Sprintf(body, "")).Want(t, http.StatusServiceUnavailable)
}
