package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/koshop/koshop/internal/shop/baggage"
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
type Products struct {
	*client.Client
	catalogues *catalogues
}

// NewProducts returns a client of product-svc at the URL.
func NewProducts(base *url.URL) Products {
	return Products{client.New("product-svc", base), newCatalogues()}
}

// All returns the catalogue, which must not be changed. It is that of now, or one that
// product-svc gave before and that is still fresh by its Cache-Control.
func (p Products) All(ctx context.Context) ([]Product, error) {
	carried, asked := baggage.From(ctx), time.Now()
	if products, ok := p.catalogues.fresh(carried, asked); ok {
		return products, nil
	}
	last := p.catalogues.last(carried)
	answer, err := p.Fetch(ctx, last.etag)
	if err != nil {
		return nil, err
	}
	now := last
	if answer.Status != http.StatusNotModified {
		now = &catalogue{etag: answer.Header.Get("ETag")}
		if err := p.Decode(answer, &now.products); err != nil {
			return nil, err
		}
	}
	p.catalogues.put(carried, now, asked.Add(freshFor(answer.Header)))
	return now.products, nil
}

// Fetch returns the answer to GET /products/… as it is, if it is JSON: of the products of
// a category, say, with the path category and its name.
func (p Products) Fetch(ctx context.Context, ifNoneMatch string, path ...string) (client.Answer, error) {
	c := client.Call{Method: http.MethodGet, Path: append([]string{"products"}, path...)}
	if ifNoneMatch != "" {
		c.Header = http.Header{"If-None-Match": {ifNoneMatch}}
	}
	return p.FetchJSON(ctx, c)
}

// Picture returns the image that the member picture of a product leads to, or
// fault.NotFound.
func (p Products) Picture(ctx context.Context, file string) (client.Answer, error) {
	return p.Client.Fetch(ctx, client.Call{Method: http.MethodGet, Path: []string{"pictures", file}})
}
