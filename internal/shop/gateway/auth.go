package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/token"
)

// errToken says that a token was not accepted. The client does not learn the reason.
var errToken = errors.New("the token is not accepted")

// verifier verifies access tokens.
type verifier struct {
	keys   *keyCache
	parser *jwt.Parser
	known  verified
}

func newVerifier(keys *keyCache) *verifier {
	return &verifier{keys, jwt.NewParser(
		jwt.WithValidMethods([]string{token.Algorithm}), jwt.WithIssuer(token.Issuer), jwt.WithAudience(token.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(token.Leeway), jwt.WithTimeFunc(keys.now), jwt.WithStrictDecoding(),
	), newVerified()}
}

// verify returns the user of a token. It fails with errToken, or with the error of
// fetching the keys from user-svc.
func (v *verifier) verify(ctx context.Context, raw string) (userID string, err error) {
	if known, ok := v.known.get(raw, v.keys.now()); ok {
		if key, err := v.keys.get(ctx, known.keyID); err == nil && known.key.Equal(key) {
			return known.userID, nil
		}
	}
	var (
		claims token.Claims
		id     string
		key    ed25519.PublicKey
		keyErr error
	)
	_, err = v.parser.ParseWithClaims(raw, &claims, func(t *jwt.Token) (any, error) {
		var ok bool
		id, ok = t.Header["kid"].(string)
		if _, critical := t.Header["crit"]; critical || !ok { // RFC 7515: what is critical must be understood
			return nil, errToken
		}
		key, keyErr = v.keys.get(ctx, id)
		if keyErr != nil {
			return nil, keyErr
		}
		if key == nil {
			return nil, errToken
		}
		return key, nil
	})
	switch {
	case keyErr != nil:
		return "", keyErr
	case err != nil || claims.UserID == "":
		return "", errToken
	}
	v.known.put(raw, id, key, &claims)
	return claims.UserID, nil
}

type userKey struct{}

// userOf returns the user that authenticate found in the token.
func userOf(ctx context.Context) string {
	id, _ := ctx.Value(userKey{}).(string) // "" owns nothing
	return id
}

// authenticate lets requests with a valid token through.
func authenticate(api huma.API, v *verifier) func(huma.Context, func(huma.Context)) {
	refuse := func(ctx huma.Context, challenge, detail string) {
		ctx.SetHeader("WWW-Authenticate", challenge)
		_ = huma.WriteErr(api, ctx, http.StatusUnauthorized, detail) // It fails only if the client is gone.
	}
	return func(ctx huma.Context, next func(huma.Context)) {
		header := ctx.Header("Authorization")
		if header == "" {
			refuse(ctx, "Bearer", "A token is required: Authorization: Bearer …")
			return
		}
		userID, err := "", errToken
		if !ambiguous(ctx) {
			userID, err = v.verify(ctx.Context(), bearer(header))
		}
		switch {
		case errors.Is(err, errToken):
			refuse(ctx, `Bearer error="invalid_token"`, "The token is invalid or has expired")
		case err != nil:
			_ = huma.WriteErr(api, ctx, http.StatusInternalServerError, "", err) // as above
		default:
			next(huma.WithValue(ctx, userKey{}, userID))
		}
	}
}

// ambiguous reports whether there is more than one Authorization header: a proxy may have
// checked another one than the gateway would.
func ambiguous(ctx huma.Context) bool {
	n := 0
	ctx.EachHeader(func(name, _ string) {
		if name == "Authorization" {
			n++
		}
	})
	return n > 1
}

// bearer returns the token of an Authorization header, or "".
func bearer(header string) string {
	scheme, raw, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(raw)
}
