package database_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database"
)

// A URL is taken or refused without a word of its password.
func FuzzParse(f *testing.F) {
	for _, seed := range [][3]string{
		{"shop", "s3cret-word", "postgres/shop"}, {"shop", "s3cret/word@x:1", "postgres:5433/shop?sslmode=disable"}, {"", "s3cret-word", "/?host=/tmp"},
		{"a b", "s3cret%zz", "h:99999/x"}, {"shop", "s3cret#word?", "[::1]:5432/shop?connect_timeout=x"}, {"shop", "s3cret word", "h/x?sslmode=verify-full&sslrootcert=/nowhere"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	refusals := map[string]bool{
		"must name a file, such as sqlite:shop.db": true, "must be sqlite:PATH or postgres://USER@HOST/NAME": true,
		"must be a PostgreSQL URL such as postgres://shop@postgres/shop": true,
	}
	f.Fuzz(func(t *testing.T, user, password, rest string) {
		if len(password) < 6 || strings.Contains(user+rest, password) || strings.Contains("PostgreSQL database on", password) {
			t.Skip("not to be told from what is no secret")
		}
		given := "postgres://" + url.UserPassword(user, password).String() + "@" + rest
		for _, value := range []string{given, "postgres://" + user + ":" + password + "@" + rest, rest, "sqlite:" + rest} {
			source, err := database.Parse(value)
			if err != nil {
				if !refusals[err.Error()] {
					t.Errorf("Parse(%q): %v", value, err)
				}
			} else if value == given && strings.Contains(source.String(), password) {
				t.Errorf("the password %q is in %s", password, source)
			}
		}
	})
}
