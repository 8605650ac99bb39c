package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/money"
)

// Product is an article of the catalogue.
type Product struct {
	ID          string   `json:"id" example:"L9ECAV7KIM"`
	Name        string   `json:"name" example:"Loafers"`
	Description string   `json:"description" example:"Soft shoes for long days."`
	Picture     string   `json:"picture" doc:"Path of an image on the host that shows the product" example:"/pictures/loafers.svg"`
	PriceUSD    Price    `json:"priceUsd"`
	Categories  []string `json:"categories" example:"[\"footwear\"]"`
}

// Price is an amount in the catalogue's form.
type Price struct {
	CurrencyCode string `json:"currencyCode" example:"USD"`
	Units        int64  `json:"units" doc:"Whole units" example:"89"`
	Nanos        int32  `json:"nanos" doc:"Billionths of a unit" example:"890000000"`
}

// Amount returns the price as money.
func (p Price) Amount() (money.Amount, error) { return money.FromUnits(p.Units, p.Nanos) }

// Products calls product-svc.
type Products struct{ *client.Client }

// NewProducts returns a client of product-svc at the URL.
func NewProducts(base *url.URL) Products { return Products{client.New("product-svc", base)} }

// All returns the catalogue.
func (p Products) All(ctx context.Context) ([]Product, error) {
	return call[[]Product](ctx, p.Client, client.Call{Method: http.MethodGet, Path: []string{"products"}})
}

// Fetch returns the answer to GET /products/… as it is, if it is JSON: of the products of
// a category, say, with the path category and its name.
func (p Products) Fetch(ctx context.Context, ifNoneMatch string, path ...string) (client.Answer, error) {
	return p.FetchJSON(ctx, client.Call{Method: http.MethodGet, Path: append([]string{"products"}, path...), IfNoneMatch: ifNoneMatch})
}

// Picture returns the image that the member picture of a product leads to, or
// fault.NotFound.
func (p Products) Picture(ctx context.Context, file string) (client.Answer, error) {
	return p.Client.Fetch(ctx, client.Call{Method: http.MethodGet, Path: []string{"pictures", file}})
}
