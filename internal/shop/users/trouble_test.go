package users

import (
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// A login with the right password needs nothing to be stored. A wrong one that cannot be
// counted is refused as any request that cannot be carried out.
func TestReadOnlyDatabaseLogsIn(t *testing.T) {
	url := databasetest.Postgres(t)
	base := start(t, url)
	shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200)
	shoptest.Do(t, "GET", base+"/.well-known/jwks.json", "", "").Want(t, 200)
	databasetest.Exec(t, url, `DELETE FROM users.login_attempts`)

	databasetest.ReadOnly(t, url, true)
	clientAt(t, "127.0.0.1").logIn(base, "ann@example.com", "xxxxxxxx").want(t, 200)
	clientAt(t, "127.0.0.1").logIn(base, "ann@example.com", "guess").want(t, 503)
	shoptest.Do(t, "GET", base+"/.well-known/jwks.json", "", "").Want(t, 200)
	shoptest.Do(t, "POST", base+"/users", "", `{"name":"Bob","email":"bob@example.com","password":"xxxxxxxx"}`).Want(t, 503)
}

func TestAKeySignsOnWhileTheNextCannotBeStored(t *testing.T) {
	url := databasetest.Postgres(t)
	c := &clock{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	k := newKeys(t, url, c)
	first := signingID(t, k)

	databasetest.ReadOnly(t, url, true)
	c.Time = c.Add(3 * period)
	last := signingID(t, k)
	if ids := publishedIDs(t, k); !ids[last] {
		t.Errorf("%s signs, published is %v", last, ids)
	}

	databasetest.ReadOnly(t, url, false)
	if next := signingID(t, k); next == first || next == last {
		t.Errorf("%s still signs when the next key can be stored", next)
	}
}
