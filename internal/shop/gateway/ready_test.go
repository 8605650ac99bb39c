package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/koshop/koshop/internal/shop/fault"
)

// The gateway is ready while it can verify tokens.
func TestReadyWithKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		cache := i.verifier(t).keys
		i.down.Store(true)
		if err := cache.ready(t.Context()); !fault.Is(err, fault.Upstream) {
			t.Errorf("before user-svc is up: %v", err)
		}
		i.down.Store(false)
		time.Sleep(fetchPause)
		if err := cache.ready(t.Context()); err != nil {
			t.Errorf("when user-svc is up: %v", err)
		}
		i.down.Store(true)
		time.Sleep(usableFor - time.Minute)
		if err := cache.ready(t.Context()); err != nil {
			t.Errorf("with keys that are known: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if err := cache.ready(t.Context()); !fault.Is(err, fault.Upstream) {
			t.Errorf("with keys that are too old: %v", err)
		}
	})
}

func TestReadyWaitsNoLongerThanAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		i.delay = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := i.verifier(t).keys.ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// A user-svc without keys is not ready itself.
func TestNotReadyWithoutAnyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := newIssuer(t).verifier(t).keys.ready(t.Context()); err == nil {
			t.Error("it is ready without a key")
		}
	})
}
