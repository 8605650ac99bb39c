package products_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/products"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func start(t *testing.T) string {
	return shoptest.Start(t, products.New(products.Config{Config: shoptest.Config()}, shoptest.Log()))
}

func TestCatalogueIsTheContracts(t *testing.T) {
	want := map[string]struct {
		name       string
		amount     money.Amount
		categories string
	}{
		"OLJCESPC7Z": {"Sunglasses", 1919, "accessories"}, "66VCHSJNUP": {"Tank Top", 1899, "clothing, tops"},
		"1YMWWN1N4O": {"Watch", 10999, "accessories"}, "L9ECAV7KIM": {"Loafers", 8989, "footwear"},
		"2ZYFJ3GM2N": {"Hairdryer", 2499, "hair, beauty"}, "0PUK6V6EV0": {"Candle Holder", 1899, "decor, home"},
		"LS4PSXUNUM": {"Salt & Pepper Shakers", 1849, "kitchen"}, "9SIQT8TOJO": {"Bamboo Glass Jar", 549, "kitchen"},
		"6E92ZMYYFZ": {"Mug", 899, "kitchen"},
	}
	base := start(t)
	var all []api.Product
	shoptest.Do(t, "GET", base+"/products", "", "").Want(t, 200).Into(t, &all)
	if len(all) != len(want) {
		t.Errorf("%d products, want %d", len(all), len(want))
	}
	for _, p := range all {
		w := want[p.ID]
		amount, err := p.PriceUSD.Amount()
		if err != nil || p.Name != w.name || amount != w.amount || strings.Join(p.Categories, ", ") != w.categories || p.PriceUSD.CurrencyCode != "USD" {
			t.Errorf("%+v, %v; want %+v", p, err, w)
		}
		svg := shoptest.Do(t, "GET", base+p.Picture, "", "").Want(t, 200)
		if svg.Header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(svg.Body, "<svg") {
			t.Errorf("%s: %s %.20s", p.Picture, svg.Header.Get("Content-Type"), svg.Body)
		}
	}
}

func TestAnswersHaveTheContractsMembers(t *testing.T) {
	answer := shoptest.Do(t, "GET", start(t)+"/products/L9ECAV7KIM", "", "").Want(t, 200)
	want := `{"id":"L9ECAV7KIM","name":"Loafers","description":"Leather shoes to slip into, good for a day on your feet.",` +
		`"picture":"/pictures/loafers.svg","priceUsd":{"currencyCode":"USD","units":89,"nanos":890000000},"categories":["footwear"]}`
	if answer.Body != want {
		t.Errorf("got %s\nwant %s", answer.Body, want)
	}
}

func TestSearchAndCategories(t *testing.T) {
	base := start(t)
	for path, want := range map[string][]string{
		"search/sunglas":    {"Sunglasses"},
		"search/SUNGLASSES": {"Sunglasses"},
		"search/loafer":     {"Loafers"},
		"search/lofers":     {"Loafers"},
		"search/glass":      {"Sunglasses", "Bamboo Glass Jar"},
		"search/" + url.PathEscape("salt & pepper"): {"Salt & Pepper Shakers"},
		"search/salt%20%26%20peper%20shakers":       {"Salt & Pepper Shakers"},
		"category/kitchen":                          {"Salt & Pepper Shakers", "Bamboo Glass Jar", "Mug"},
		"category/Accessories":                      {"Sunglasses", "Watch"},
	} {
		var got []api.Product
		shoptest.Do(t, "GET", base+"/products/"+path, "", "").Want(t, 200).Into(t, &got)
		names := make([]string, len(got))
		for i, p := range got {
			names[i] = p.Name
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %v, want %v", path, names, want)
		}
	}
}

func TestNotFound(t *testing.T) {
	base := start(t)
	for path, detail := range map[string]string{
		"/products/NOPE":          "Product not found",
		"/products/category/cars": "No products found",
		"/products/search/zzzzzz": "No products found",
		"/pictures/..%2Fservice":  "Picture not found",
		"/products/search/":       "Not Found",
	} {
		shoptest.Do(t, "GET", base+path, "", "").WantDetail(t, 404, detail)
	}
	shoptest.Do(t, "GET", base+"/products/search/"+strings.Repeat("x", 101), "", "").
		WantDetail(t, 422, "string: expected length <= 100")
	shoptest.Do(t, "GET", base+"/healthz", "", "").Want(t, 201)
}
