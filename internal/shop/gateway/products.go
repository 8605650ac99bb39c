package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
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
}

func list(products []api.Product, err error) (*listOutput, error) {
	if err != nil {
		return nil, err
	}
	return &listOutput{products}, nil
}
