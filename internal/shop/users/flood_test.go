package users

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// flood asks 200 times a second until ctx ends.
func flood(ctx context.Context, ask func(i int)) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			all.Go(func() { ask(i) })
		case <-ctx.Done():
			return
		}
	}
}

// TestAnHonestLoginBesideAFlood floods the service from one address: with wrong passwords
// for one account and for many, and with the right ones of thirty accounts that the
// attacker has. Meanwhile others log in, from another address and from the same one.
func TestAnHonestLoginBesideAFlood(t *testing.T) {
	base := start(t, databasetest.SQLite(t))
	attacker, neighbour, other := clientAt(t, "127.0.0.2"), clientAt(t, "127.0.0.2"), clientAt(t, "127.0.0.3")
	own := func(i int) string { return fmt.Sprintf("own%d@example.com", i%30) }
	for i := range 30 {
		attacker.signUp(base, own(i)).want(t, 200)
	}
	for name, ask := range map[string]func(int){
		"one account":   func(int) { attacker.logIn(base, "bob@example.com", "guess") },
		"many accounts": func(i int) { attacker.logIn(base, fmt.Sprintf("%d@example.com", i), "guess") },
		"own accounts":  func(i int) { attacker.logIn(base, own(i), "xxxxxxxx") },
	} {
		t.Run(name, func(t *testing.T) {
			email := strings.ReplaceAll(name, " ", "-") + "@example.com"
			neighbour.signUp(base, email).want(t, 200)
			ctx, stop := context.WithCancel(t.Context())
			var flooding sync.WaitGroup
			flooding.Go(func() { flood(ctx, ask) })
			time.Sleep(time.Second)
			honest := map[string]client{"elsewhere": other}
			if name != "own accounts" { // Those wait where the neighbour's does: neither is a stranger.
				honest["at the same address"] = neighbour
			}
			for where, client := range honest {
				begin := time.Now()
				client.logIn(base, email, "xxxxxxxx").want(t, 200)
				t.Logf("%s: %v", where, time.Since(begin))
			}
			stop()
			flooding.Wait()
		})
	}
}
