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
	// clientBurst is how many passwords one client may have checked at once: a class may
	// come from one address.
	clientBurst = 100
	// knownBurst is how many passwords for one account are checked at once before others of
	// the same client, if the client is known to the account, and knownPerSecond how many
	// then.
	knownBurst     = 3
	knownPerSecond = 0.1
	// remembered is how many clients, and how many pairs, are remembered.
	remembered = 10_000
)

// limit bounds how many passwords are checked for each client. Each replica has its own:
// it protects the replica's processors, of which a further replica has its own, too.
type limit struct {
	perSecond rate.Limit
	clients   *recent.Map[*rate.Limiter]
	known     *recent.Map[*rate.Limiter]
}

// newLimit returns a limit of so many passwords in a minute.
func newLimit(perMinute int) *limit {
	return &limit{rate.Limit(float64(perMinute) / 60), recent.NewMap[*rate.Limiter](remembered), recent.NewMap[*rate.Limiter](remembered)}
}

// take takes a token of the client, or returns fault.TooMany. It tells the client how many
// are left, as tell does.
func (l *limit) take(ctx context.Context, client string) error {
	isAllowed := l.bucket(client).Allow()
	next := l.tell(ctx, client)
	if isAllowed {
		return nil
	}
	return tooMany("Too many attempts from your address, try again later", next)
}

// takeKnown takes a token of a client that is known to the account, and reports whether
// there was one.
func (l *limit) takeKnown(p pair) bool {
	return l.known.GetOrPut(p.id(), func() *rate.Limiter { return rate.NewLimiter(knownPerSecond, knownBurst) }).Allow()
}

// tell says in headers how many tokens the client has left
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/), and returns
// when it gets the next one.
func (l *limit) tell(ctx context.Context, client string) (next time.Duration) {
	left := math.Max(0, l.bucket(client).Tokens())
	next = time.Duration((math.Floor(left) + 1 - left) / float64(l.perSecond) * float64(time.Second))
	window := int(math.Ceil(clientBurst / float64(l.perSecond)))
	web.SetHeader(ctx, "RateLimit-Policy", fmt.Sprintf(`"passwords";q=%d;w=%d`, clientBurst, window))
	web.SetHeader(ctx, "RateLimit", fmt.Sprintf(`"passwords";r=%d;t=%d`, int(left), web.Seconds(next)))
	return next
}

func (l *limit) bucket(client string) *rate.Limiter {
	return l.clients.GetOrPut(client, func() *rate.Limiter { return rate.NewLimiter(l.perSecond, clientBurst) })
}

func tooMany(detail string, after time.Duration) error {
	err := fault.New(fault.TooMany, "%s", detail)
	err.RetryAfter = after
	return err
}
