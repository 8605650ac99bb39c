package users

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// Users who signed up before addresses were compared in their composed form are found
// under what was their key then.
func TestOldKeysOfAddresses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := &store{databasetest.Open(t, url, schema, migrations)}
		const email = "ZOE\u0308@example.com"
		user, err := s.create(t.Context(), "Zoë", email, "hash")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.ExecContext(t.Context(), `UPDATE users SET email_key = $1`, strings.ToLower(email)); err != nil {
			t.Fatal(err)
		}
		if id, hash, err := s.credentials(t.Context(), email); id != user.ID || hash != "hash" || err != nil {
			t.Errorf("%q, %q, %v", id, hash, err)
		}
	})
}
