package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/web"
)

type (
	productInput struct {
		ID string `path:"id" example:"L9ECAV7KIM"`
	}
	categoryInput struct {
		Category string `path:"category" example:"kitchen"`
	}
	searchInput struct {
		Text string `path:"string" example:"sunglas"`
	}
	pictureInput struct {
		File string `path:"file" maxLength:"100" example:"loafers.svg"`
	}
	pictureOutput struct {
		ContentType  string `header:"Content-Type"`
		CacheControl string `header:"Cache-Control"`
		Body         []byte
	}
	productOutput struct{ Body api.Product }
	listOutput    struct{ Body []api.Product }
)

// registerProducts adds what is product-svc's, refusals included.
func (s *service) registerProducts(a huma.API) {
	huma.Register(a, operation("list-products", http.MethodGet, "/products", "List all products"),
		func(ctx context.Context, _ *struct{}) (*listOutput, error) { return list(s.products.All(ctx)) })
	huma.Register(a, operation("get-product", http.MethodGet, "/products/{id}", "Show a product", http.StatusNotFound),
		func(ctx context.Context, in *productInput) (*productOutput, error) {
			product, err := s.products.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &productOutput{product}, nil
		})
	huma.Register(a, operation("list-category", http.MethodGet, "/products/category/{category}", "List the products of a category", http.StatusNotFound),
		func(ctx context.Context, in *categoryInput) (*listOutput, error) {
			return list(s.products.InCategory(ctx, in.Category))
		})
	huma.Register(a, operation("search-products", http.MethodGet, "/products/search/{string}", "Search products by name", http.StatusNotFound),
		func(ctx context.Context, in *searchInput) (*listOutput, error) {
			return list(s.products.Search(ctx, in.Text))
		})
	// Where the member picture of a product leads to, on this host as on product-svc's.
	huma.Register(a, web.Operation("get-picture", http.MethodGet, "/pictures/{file}", "Show the picture of a product",
		http.StatusNotFound, http.StatusBadGateway, http.StatusGatewayTimeout), s.picture)
}

func (s *service) picture(ctx context.Context, in *pictureInput) (*pictureOutput, error) {
	answer, err := s.products.Picture(ctx, in.File)
	if err != nil {
		return nil, err
	}
	return &pictureOutput{answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"), answer.Body}, nil
}

func list(products []api.Product, err error) (*listOutput, error) {
	if err != nil {
		return nil, err
	}
	return &listOutput{products}, nil
}
