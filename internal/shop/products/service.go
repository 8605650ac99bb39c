// Package products is product-svc: the catalogue and the search in it.
package products

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/web"
)

// Name and About introduce the service.
const (
	Name  = "product-svc"
	About = "Shows the catalogue of the shop and searches it."
)

// fresh lets the gateway, which needs the prices for each order, ask for the catalogue
// once a second. The time is short, so that a change is soon visible.
const fresh = "max-age=1"

// Config is the configuration of the service.
type Config struct{ server.Config }

// New returns the service.
func New(cfg Config, log *slog.Logger) *server.Server {
	s := &service{}
	return server.New(cfg.Config, server.Service{
		Name: Name, About: About, Greeting: "product-svc is well", Timeout: 3 * time.Second,
		Register: s.register,
		Open:     func(context.Context) (err error) { s.catalogue, err = Load(); return err },
	}, log)
}

type service struct{ catalogue Catalogue }

type (
	listOutput    = web.Tagged[[]api.Product]
	productOutput = web.Tagged[api.Product]
	idInput       struct {
		web.Condition
		ID string `path:"id" example:"L9ECAV7KIM"`
	}
	categoryInput struct {
		web.Condition
		Category string `path:"category" maxLength:"100" example:"kitchen"`
	}
	searchInput struct {
		web.Condition
		Text string `path:"string" maxLength:"100" example:"sunglas"`
	}
	fileInput struct {
		File string `path:"file" example:"loafers.svg"`
	}
	svgOutput struct {
		ContentType  string `header:"Content-Type"`
		CacheControl string `header:"Cache-Control"`
		Body         []byte
	}
)

func (s *service) register(a huma.API) {
	huma.Register(a, web.Cached(web.Operation("list-products", http.MethodGet, "/products", "List all products")),
		func(_ context.Context, in *web.Condition) (*listOutput, error) {
			list, err := web.Tag(*in, []api.Product(s.catalogue))
			if err == nil {
				list.CacheControl = fresh
			}
			return list, err
		})
	huma.Register(a, web.Cached(web.Operation("get-product", http.MethodGet, "/products/{id}", "Show a product", http.StatusNotFound)), s.get)
	huma.Register(a, web.Cached(web.Operation("list-category", http.MethodGet, "/products/category/{category}", "List the products of a category", http.StatusNotFound)),
		func(_ context.Context, in *categoryInput) (*listOutput, error) {
			return found(in.Condition, s.catalogue.InCategory(in.Category))
		})
	huma.Register(a, web.Cached(web.Operation("search-products", http.MethodGet, "/products/search/{string}", "Search products by name", http.StatusNotFound)),
		func(_ context.Context, in *searchInput) (*listOutput, error) {
			return found(in.Condition, s.catalogue.Search(in.Text))
		})
	huma.Register(a, web.Operation("get-picture", http.MethodGet, "/pictures/{file}", "Show the picture of a product", http.StatusNotFound), picture)
}

func (s *service) get(_ context.Context, in *idInput) (*productOutput, error) {
	p, ok := s.catalogue.ByID(in.ID)
	if !ok {
		return nil, fault.New(fault.NotFound, "Product not found")
	}
	return web.Tag(in.Condition, p)
}

func found(condition web.Condition, list []api.Product) (*listOutput, error) {
	if len(list) == 0 {
		return nil, fault.New(fault.NotFound, "No products found")
	}
	return web.Tag(condition, list)
}

func picture(_ context.Context, in *fileInput) (*svgOutput, error) {
	svg, err := pictures.ReadFile("pictures/" + in.File)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "Picture not found")
	}
	return &svgOutput{"image/svg+xml", "public, max-age=3600", svg}, nil
}
