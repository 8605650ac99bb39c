package users

import (
	"context"
	"fmt"
	"net/mail"

	"github.com/danielgtaylor/huma/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/token"
	"github.com/koshop/koshop/internal/shop/web"
)

type signUp struct {
	Name     string `json:"name" minLength:"1" maxLength:"100" example:"Ann"`
	Email    string `json:"email" format:"email" maxLength:"254" example:"ann@example.com"`
	Password string `json:"password" minLength:"8" maxLength:"1024" example:"correct horse battery staple"`
}

// Resolve refuses a name that cannot be seen, and what is more than an address, as
// "Ann <ann@example.com>".
func (u *signUp) Resolve(_ huma.Context, at *huma.PathBuffer) (problems []error) {
	if u.Name != "" && web.IsBlank(u.Name) {
		problems = append(problems, &huma.ErrorDetail{Location: at.With("name"), Message: "must not be blank"})
	}
	address, err := mail.ParseAddress(u.Email)
	if err == nil && address.Address != u.Email {
		problems = append(problems, &huma.ErrorDetail{Location: at.With("email"), Message: "expected nothing but the address"})
	}
	return problems // what is no address at all, the schema reports
}

type logIn struct {
	Email    string `json:"email" maxLength:"254" example:"ann@example.com"`
	Password string `json:"password" maxLength:"1024" example:"correct horse battery staple"`
}

type accessToken struct {
	AccessToken string `json:"access_token" doc:"For the header Authorization: Bearer …"`
}

type (
	signUpInput struct{ Body signUp }
	userOutput  struct{ Body User }
	logInInput  struct{ Body logIn }
	tokenOutput struct{ Body accessToken }
	jwksOutput  struct {
		CacheControl string `header:"Cache-Control"`
		Body         token.KeySet
	}
)

func (s *service) signUp(ctx context.Context, in *signUpInput) (*userOutput, error) {
	if err := s.limit.take(ctx, web.ClientOf(ctx)); err != nil {
		return nil, err
	}
	id, _, err := s.store.credentials(ctx, in.Body.Email)
	if err != nil {
		return nil, err
	}
	if id != "" {
		return nil, errTaken() // without the work of a hash
	}
	p := pair{web.ClientOf(ctx), key(in.Body.Email)}
	hash, err := s.hasher.hash(ctx, p.line(false), in.Body.Password)
	if err != nil {
		return nil, err
	}
	user, err := s.store.create(ctx, in.Body.Name, in.Body.Email, hash)
	if err != nil {
		return nil, err
	}
	s.noteSuccess(ctx, p, history{})
	return &userOutput{user}, nil
}

// logIn does the same work for an unknown address as for a wrong password, so
// that neither the answer nor its time tells which addresses are known.
func (s *service) logIn(ctx context.Context, in *logInInput) (*tokenOutput, error) {
	a, err := s.admit(ctx, pair{web.ClientOf(ctx), key(in.Body.Email)})
	if err != nil {
		return nil, err
	}
	id, hash, err := s.store.credentials(ctx, in.Body.Email)
	if err != nil {
		return nil, err
	}
	ok, err := s.hasher.verify(ctx, a.line, in.Body.Password, hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, s.refuse(ctx, a)
	}
	s.noteSuccess(ctx, a.pair, a.history)
	signed, err := s.sign(ctx, id)
	if err != nil {
		return nil, err
	}
	return &tokenOutput{accessToken{signed}}, nil
}

// sign returns a token for the user.
func (s *service) sign(ctx context.Context, userID string) (string, error) {
	key, err := s.keys.signing(ctx)
	if err != nil {
		return "", err
	}
	now := s.keys.now()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, token.Claims{
		UserID: userID,
		RegisteredClaims: jwt.RegisteredClaims{
			ID: uuid.NewString(), Subject: userID, Issuer: token.Issuer, Audience: jwt.ClaimStrings{token.Audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(token.Lifetime)),
		},
	})
	t.Header["kid"] = key.id
	signed, err := t.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

func (s *service) jwks(ctx context.Context, _ *struct{}) (*jwksOutput, error) {
	set, err := s.keys.published(ctx)
	if err != nil {
		return nil, err
	}
	return &jwksOutput{"public, max-age=300", set}, nil
}
