// Package api is what goes over the wire between the services, with a typed
// client for each. The rules in the tags are checked by huma on the way in.
package api

import (
	"context"

	"github.com/koshop/koshop/internal/shop/client"
)

// call makes a call whose answer is a T.
func call[T any](ctx context.Context, c *client.Client, what client.Call) (T, error) {
	var out T
	err := c.Do(ctx, what, &out)
	return out, err
}
