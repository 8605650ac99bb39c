package users

import (
	"context"
	"time"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/turns"
)

// admitted is an attempt to log in that may go on.
type admitted struct {
	pair
	line    turns.Line
	history history
	// overdrawn is not nil when the client has had too many passwords checked.
	overdrawn error
}

// admit refuses an attempt that comes too soon, before it costs anything.
//
// The clients of one address may be many, and among them one who guesses. So a client that
// has logged in to the account before may try now and then whatever others of its address
// do, and does not wait for them.
func (s *service) admit(ctx context.Context, p pair) (admitted, error) {
	now := time.Now()
	h, err := s.attempts.of(ctx, p, now)
	if err != nil {
		return admitted{}, err
	}
	if pause := h.pause(now); pause > 0 {
		s.limit.tell(ctx, p.client)
		return admitted{}, tooMany("Too many wrong passwords, try again later", pause)
	}
	overdrawn := s.limit.take(ctx, p.client)
	if h.isKnown(now) && s.limit.takeKnown(p) {
		return admitted{p, p.line(true), h, overdrawn}, nil
	}
	return admitted{p, p.line(false), h, nil}, overdrawn
}

// refuse notes a wrong password and returns what to answer. That does not depend on whether
// the client is known to the account, so that a neighbour does not learn it.
func (s *service) refuse(ctx context.Context, a admitted) error {
	if err := s.attempts.failed(ctx, a.pair, a.history, time.Now()); err != nil {
		return err
	}
	if a.overdrawn != nil {
		return a.overdrawn
	}
	return fault.New(fault.Unauthorized, "Invalid credentials")
}

// noteSuccess notes a right password. The one who gave it gets in even if that cannot be
// noted, as in a database that only reads.
func (s *service) noteSuccess(ctx context.Context, p pair, h history) {
	if err := s.attempts.succeeded(ctx, p, h, time.Now()); err != nil {
		s.log.WarnContext(ctx, "cannot note that a password was right", "error", err.Error())
	}
}
