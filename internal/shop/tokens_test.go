package shop_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v4"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestForgedTokens(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	gate := s.gateway.URL() + "/api/v1"
	shoptest.Do(t, "GET", gate+"/orders", ann.token, "").Want(t, 200)
	missing := shoptest.Do(t, "POST", gate+"/order/create", "", loafersAndSunglasses).Want(t, 401)
	if got := missing.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	for name, forged := range map[string]string{
		"malformed": "x", "shared secret": forge(t, ann.token, jwt.SigningMethodHS256, []byte("mysecretkey")),
		"alg none":        forge(t, ann.token, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"payload changed": changePayload(t, ann.token),
	} {
		answer := shoptest.Do(t, "GET", gate+"/orders", forged, "")
		if answer.Status != 401 || answer.Header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
			t.Errorf("%s: %d, WWW-Authenticate %q", name, answer.Status, answer.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestTwoTokensAreNone(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann := s.signUp(t, "ann")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.gateway.URL()+"/api/v1/orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = []string{"Bearer " + ann.token, "Bearer x"}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// forge signs the claims of a good token, header included, by another method.
func forge(t *testing.T, good string, method jwt.SigningMethod, key any) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(good, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	parsed.Method, parsed.Header["alg"] = method, method.Alg()
	forged, err := parsed.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

// changePayload makes a good token another user's and keeps its signature.
func changePayload(t *testing.T, good string) string {
	t.Helper()
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["user_id"] = "somebody"
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}
