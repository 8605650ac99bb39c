package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
)

// earlier answers a request that the gateway has to refuse by itself. If a request with
// the same Idempotency-Key came before, the service that keeps the keys has the answer:
// what that request created, or that the key was used for another request. Prices may
// have changed since, and a service that is needed only the first time may be down.
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
