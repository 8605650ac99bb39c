package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/token"
)

// Users calls user-svc.
type Users struct{ *client.Client }

// NewUsers returns a client of user-svc at the URL.
func NewUsers(base *url.URL) Users { return Users{client.New("user-svc", base)} }

// Keys returns the public keys that verify access tokens.
func (u Users) Keys(ctx context.Context) (token.KeySet, error) {
	return call[token.KeySet](ctx, u.Client, client.Call{Method: http.MethodGet, Path: []string{".well-known", "jwks.json"}})
}
