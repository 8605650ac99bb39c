package users

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/recent"
	"github.com/koshop/koshop/internal/shop/web"
)

const (
	// burst is how many passwords one client may have checked at once: a class may come
	// from one address.
	burst = 100
	// clients is how many of them are remembered.
	clients = 10_000
)

// limit is a token bucket for each client.
type limit struct {
	perSecond rate.Limit
	buckets   *recent.Map[*rate.Limiter]
}

// newLimit returns a limit of so many passwords in a minute.
func newLimit(perMinute int) *limit {
	return &limit{rate.Limit(float64(perMinute) / 60), recent.NewMap[*rate.Limiter](clients)}
}

// take takes a token of the client, or returns fault.TooMany. It tells the client
// how many are left
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
func (l *limit) take(ctx context.Context, client string) error {
	bucket := l.buckets.GetOrPut(client, func() *rate.Limiter { return rate.NewLimiter(l.perSecond, burst) })
	allowed := bucket.Allow()
	left := math.Max(0, bucket.Tokens())
	next := time.Duration((math.Floor(left) + 1 - left) / float64(l.perSecond) * float64(time.Second))
	window := int(math.Ceil(burst / float64(l.perSecond)))
	web.SetHeader(ctx, "RateLimit-Policy", fmt.Sprintf(`"passwords";q=%d;w=%d`, burst, window))
	web.SetHeader(ctx, "RateLimit", fmt.Sprintf(`"passwords";r=%d;t=%d`, int(left), web.Seconds(next)))
	if allowed {
		return nil
	}
	return tooMany("Too many attempts from your address, try again later", next)
}

func tooMany(detail string, after time.Duration) error {
	err := fault.New(fault.TooMany, "%s", detail)
	err.RetryAfter = after
	return err
}
