package users

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/token"
)

func start(t *testing.T, url string) string { return startWith(t, url, 300) }

// startWith starts the service with a LOGIN_RATE.
func startWith(t *testing.T, url string, rate int) string {
	return shoptest.Start(t, New(Config{
		Config: shoptest.Config(), Database: databasetest.Source(t, url), KeyRotation: period, LoginRate: rate,
	}, shoptest.Log()))
}

const ann = `{"name":"Ann","email":"Ann@Example.com","password":"xxxxxxxx"}`

func TestSignUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := start(t, url)
		answer := shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200)
		if want := `{"id":"` + answer.Member(t, "id") + `","name":"Ann","email":"Ann@Example.com"}`; answer.Body != want {
			t.Errorf("got %s, want %s", answer.Body, want)
		}
		shoptest.Do(t, "POST", base+"/users", "", `{"name":"A\u0000","email":"nul@b.c","password":"xxxxxxxx"}`).WantDetail(t, 422, "name: must not contain U+0000")
		shoptest.Do(t, "POST", base+"/login", "", `{"email":"a\u0000","password":"xxxxxxxx"}`).WantDetail(t, 422, "email: must not contain U+0000")
		for _, again := range []string{ann, strings.ToLower(ann)} {
			shoptest.Do(t, "POST", base+"/users", "", again).WantDetail(t, 400, "Email already registered")
		}
		// The same letters, as one code point and as two.
		shoptest.Do(t, "POST", base+"/users", "", `{"name":"Zoë","email":"zo\u00eb@example.com","password":"xxxxxxxx"}`).Want(t, 200)
		shoptest.Do(t, "POST", base+"/users", "", `{"name":"Zoë","email":"ZOE\u0308@example.com","password":"xxxxxxxx"}`).WantDetail(t, 400, "Email already registered")
	})
}

func TestSignUpAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		replicas := []string{start(t, url), start(t, url)}
		var created atomic.Int32
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				if answer := shoptest.Do(t, "POST", replicas[i%2]+"/users", "", ann); answer.Status == 200 {
					created.Add(1)
				} else if answer.Status != 400 {
					t.Errorf("%d %s", answer.Status, answer.Body)
				}
			})
		}
		all.Wait()
		if n := created.Load(); n != 1 {
			t.Errorf("%d users have the address, want 1", n)
		}
	})
}

func TestSignUpRefusals(t *testing.T) {
	base := start(t, databasetest.SQLite(t))
	for body, detail := range map[string]string{
		`{"email":"a@b.c","password":"xxxxxxxx"}`:                                               "name: is required",
		`{"name":"","email":"a@b.c","password":"xxxxxxxx"}`:                                     "name: expected length >= 1",
		`{"name":"Ann","email":"a@b.c","password":""}`:                                          "password: expected length >= 8",
		`{"name":"Ann","email":"a@b.c","password":"seven77"}`:                                   "password: expected length >= 8",
		`{"name":" \u2003\u200b","email":"a@b.c","password":"xxxxxxxx"}`:                        "name: must not be blank",
		`{"name":"Ann","email":"a@b.c","password":"` + strings.Repeat("x", 1025) + `"}`:         "password: expected length <= 1024",
		`{"name":"Ann","email":"Ann <a@b.c>","password":"xxxxxxxx"}`:                            "email: expected nothing but the address",
		`{"name":"Ann","email":"` + strings.Repeat("x", 250) + `@b.cde","password":"xxxxxxxx"}`: "email: expected length <= 254",
		`{"name":7,"email":"a@b.c","password":"xxxxxxxx"}`:                                      "name: expected string",
	} {
		shoptest.Do(t, "POST", base+"/users", "", body).WantDetail(t, 422, detail)
	}
	answer := shoptest.Do(t, "POST", base+"/users", "", `{"name":"Ann","email":"ann","password":"xxxxxxxx"}`).Want(t, 422)
	if !strings.HasPrefix(answer.Member(t, "detail"), "email: expected string to be RFC 5322 email") {
		t.Error(answer.Body)
	}
}

func TestLogIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := start(t, url)
		id := shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200).Member(t, "id")
		for _, wrong := range []string{
			`{"email":"ann@example.com","password":"y"}`, `{"email":"bob@example.com","password":"xxxxxxxx"}`, `{"email":"","password":""}`,
		} {
			shoptest.Do(t, "POST", base+"/login", "", wrong).WantDetail(t, 401, "Invalid credentials")
		}

		signed := shoptest.Do(t, "POST", base+"/login", "", `{"email":"ANN@example.com","password":"xxxxxxxx"}`).Want(t, 200).Member(t, "access_token")
		jwks := shoptest.Do(t, "GET", base+"/.well-known/jwks.json", "", "").Want(t, 200)
		if !strings.Contains(jwks.Header.Get("Cache-Control"), "max-age") || strings.Contains(jwks.Body, "seed") {
			t.Errorf("jwks: %v %s", jwks.Header, jwks.Body)
		}
		var set token.KeySet
		jwks.Into(t, &set)
		var claims token.Claims
		_, err := jwt.ParseWithClaims(signed, &claims, func(parsed *jwt.Token) (any, error) {
			for _, key := range set.Keys {
				if key.ID == parsed.Header["kid"] {
					return key.Public()
				}
			}
			return nil, jwt.ErrTokenUnverifiable
		}, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("user-svc"), jwt.WithAudience("api-gateway"), jwt.WithExpirationRequired())
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(claims.ExpiresAt.Time); claims.UserID != id || left > time.Hour || left < 59*time.Minute {
			t.Errorf("claims %+v, want user %s for an hour", claims, id)
		}
	})
}

func TestUsersAndKeysSurviveARestart(t *testing.T) {
	url := databasetest.SQLite(t)
	first := New(Config{Config: shoptest.Config(), Database: databasetest.Source(t, url), KeyRotation: period, LoginRate: 300}, shoptest.Log())
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	shoptest.Do(t, "POST", first.URL()+"/users", "", ann).Want(t, 200)
	before := shoptest.Do(t, "GET", first.URL()+"/.well-known/jwks.json", "", "").Body
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	base := start(t, url)
	shoptest.Do(t, "POST", base+"/login", "", `{"email":"ann@example.com","password":"xxxxxxxx"}`).Want(t, 200)
	if after := shoptest.Do(t, "GET", base+"/.well-known/jwks.json", "", "").Body; after != before {
		t.Errorf("keys were\n%s\nand are\n%s", before, after)
	}
}

// TestFrozenDatabaseIsGivenUp though a request may wait longer than that for its turn
// to check a password.
func TestFrozenDatabaseIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	server := databasetest.NewSwitch(t, databasetest.Postgres(t))
	server.On()
	base := start(t, server.URL)
	shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200)
	server.Freeze()
	for path, body := range map[string]string{"/users": `{"name":"Bob","email":"bob@example.com","password":"xxxxxxxx"}`, "/login": ann} {
		begin := time.Now()
		shoptest.Do(t, "POST", base+path, "", body).WantDetail(t, 503, "The database did not answer in time, try again")
		if took := time.Since(begin); took > 15*time.Second {
			t.Errorf("POST %s: given up after %v", path, took)
		}
	}
	server.Thaw()
	shoptest.Do(t, "POST", base+"/login", "", ann).Want(t, 200)
}

// TestUnknownAddressTakesAsLong compares the least of several times, which is
// what is left of them without the machine's noise.
func TestUnknownAddressTakesAsLong(t *testing.T) {
	base := start(t, databasetest.SQLite(t))
	shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200)
	known, unknown := time.Hour, time.Hour
	try := func(email string, best *time.Duration) {
		begin := time.Now()
		shoptest.Do(t, "POST", base+"/login", "", `{"email":"`+email+`","password":"y"}`).Want(t, 401)
		*best = min(*best, time.Since(begin))
	}
	for range 5 { // In turn, so that what else the machine does is the same for both.
		try("ann@example.com", &known)
		try("bob@example.com", &unknown)
	}
	if unknown < known/3 || unknown > known*3 {
		t.Errorf("a wrong password takes %v, an unknown address %v", known, unknown)
	}
}
