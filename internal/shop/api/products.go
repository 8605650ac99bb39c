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
func (p Products) All(ctx context.Context) ([]Product, error) { return p.list(ctx) }

// InCategory returns the products of a category, fault.NotFound if it has none.
func (p Products) InCategory(ctx context.Context, category string) ([]Product, error) {
	return p.list(ctx, "category", category)
}

// Search returns the products whose names resemble the text, fault.NotFound if
// none does.
func (p Products) Search(ctx context.Context, text string) ([]Product, error) {
	return p.list(ctx, "search", text)
}

func (p Products) list(ctx context.Context, path ...string) ([]Product, error) {
	return call[[]Product](ctx, p.Client, client.Call{Method: http.MethodGet, Path: append([]string{"products"}, path...)})
}

// Get returns one product, or fault.NotFound.
func (p Products) Get(ctx context.Context, id string) (Product, error) {
	return call[Product](ctx, p.Client, client.Call{Method: http.MethodGet, Path: []string{"products", id}})
}

// Picture returns the image that the member picture of a product leads to, or
// fault.NotFound.
func (p Products) Picture(ctx context.Context, file string) (client.Answer, error) {
	return p.Fetch(ctx, client.Call{Method: http.MethodGet, Path: []string{"pictures", file}})
}
