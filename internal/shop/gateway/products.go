package gateway

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

type (
	productInput struct {
		web.Condition
		ID string `path:"id" maxLength:"100" example:"L9ECAV7KIM"`
	}
	categoryInput struct {
		web.Condition
		Category string `path:"category" maxLength:"100" example:"kitchen"`
	}
	searchInput struct {
		web.Condition
		Text string `path:"string" maxLength:"100" example:"sunglas"`
	}
	pictureInput struct {
		File string `path:"file" maxLength:"100" example:"loafers.svg"`
	}
	pictureOutput struct {
		ContentType  string `header:"Content-Type"`
		CacheControl string `header:"Cache-Control"`
		Body         []byte
	}
)

// registerProducts adds the operations that product-svc answers.
func (s *service) registerProducts(a huma.API) {
	huma.Register(a, passed[[]api.Product](a, "list-products", "/products", "List all products"),
		func(ctx context.Context, in *web.Condition) (*huma.StreamResponse, error) {
			return s.pass(ctx, in.IfNoneMatch)
		})
	huma.Register(a, passed[api.Product](a, "get-product", "/products/{id}", "Show a product", http.StatusNotFound),
		func(ctx context.Context, in *productInput) (*huma.StreamResponse, error) {
			return s.pass(ctx, in.IfNoneMatch, in.ID)
		})
	huma.Register(a, passed[[]api.Product](a, "list-category", "/products/category/{category}", "List the products of a category", http.StatusNotFound),
		func(ctx context.Context, in *categoryInput) (*huma.StreamResponse, error) {
			return s.pass(ctx, in.IfNoneMatch, "category", in.Category)
		})
	huma.Register(a, passed[[]api.Product](a, "search-products", "/products/search/{string}", "Search products by name", http.StatusNotFound),
		func(ctx context.Context, in *searchInput) (*huma.StreamResponse, error) {
			return s.pass(ctx, in.IfNoneMatch, "search", in.Text)
		})
	// The member picture of a product is a path on this host too.
	huma.Register(a, web.Operation("get-picture", http.MethodGet, "/pictures/{file}", "Show the picture of a product",
		http.StatusNotFound, http.StatusBadGateway, http.StatusGatewayTimeout), s.picture)
}

// passed is operation for an answer that is passed on. Its handler returns bytes, so huma
// does not know that they have the form T.
func passed[T any](a huma.API, id, path, summary string, errors ...int) huma.Operation {
	op := operation(id, http.MethodGet, path, summary, errors...)
	schema := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	op = web.Cached(op)
	op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	return op
}

// passedHeaders are the headers that are passed on with an answer.
var passedHeaders = []string{"Content-Type", "Cache-Control", "Etag"}

// maxEtag is longer than any entity tag of a service, in bytes.
const maxEtag = 200

// pass answers with the bytes of product-svc's answer. To decode and encode them would
// double the time of the request.
func (s *service) pass(ctx context.Context, etag string, path ...string) (*huma.StreamResponse, error) {
	if len(etag) > maxEtag {
		etag = ""
	}
	// An intercept leads requests by their baggage to another product-svc.
	key := strings.Join(append([]string{etag, baggage.From(ctx)}, path...), "\x00")
	began := time.Now()
	answer, isShared, err := s.passing.get(ctx, key, func(ctx context.Context) (client.Answer, error) {
		return s.products.Fetch(ctx, etag, path...)
	})
	if isShared {
		telemetry.Shared(ctx, "product-svc", answer.Header, began)
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		for _, name := range passedHeaders {
			if value := answer.Header.Get(name); value != "" {
				ctx.SetHeader(name, value)
			}
		}
		ctx.SetHeader("Vary", "Baggage") // It may lead to another product-svc.
		if answer.Status != http.StatusNotModified {
			ctx.SetHeader("Content-Length", strconv.Itoa(len(answer.Body)))
		}
		ctx.SetStatus(answer.Status)
		_, _ = ctx.BodyWriter().Write(answer.Body) // The client is gone.
	}}, nil
}

func (s *service) picture(ctx context.Context, in *pictureInput) (*pictureOutput, error) {
	answer, err := s.products.Picture(ctx, in.File)
	if err != nil {
		return nil, err
	}
	return &pictureOutput{answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"), answer.Body}, nil
}
