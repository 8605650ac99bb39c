package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
)

// earlier answers a request that the gateway is about to refuse by itself. If there was an
// earlier request with the same Idempotency-Key, the service that stores the keys decides:
// it returns what the earlier request created, or that the key was used for another
// request. The refusal may have causes that did not exist then: prices have changed, or a
// service is down.
func earlier[T any](ctx context.Context, key api.Idempotency, refusal error, find func(context.Context, api.Idempotency, string) (T, error)) (T, error) {
	var none T
	if key.Key == "" {
		return none, refusal
	}
	found, err := find(ctx, key, userOf(ctx))
	if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
		return none, refusal
	}
	return found, err
}
