package users

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// Who signs up has a name that is seen and an address that is nothing else, or is refused.
func FuzzSignUp(f *testing.F) {
	const ann = `{"name":"Ann","email":"ann@example.com","password":"long enough"}`
	for _, change := range [][2]string{
		{"", ""}, {"Ann", `\u200b`}, {"Ann", "  "}, {"Ann", ""}, {"Ann", strings.Repeat("é", 101)}, {"ann@", "Ann <ann@"}, {"ann@", `\"a b\"@`}, {"ann@example.com", "=?utf-8?q?x?= <a@b.c>"},
		{"ann@", "zoë@"}, {"ann@example.com", "ann@[127.0.0.1]"}, {"ann@", " ann@"}, {"ann@", "a,b@"}, {"long enough", "short"}, {"long enough", strings.Repeat("x", 1025)}, {`"email"`, `"Email"`},
	} {
		f.Add([]byte(strings.Replace(ann, change[0], change[1], 1)))
	}
	var taken []signUp
	service := web.NewHandler(web.Options{
		Telemetry: telemetry.New("test-svc"),
		Name:      Name, Timeout: time.Minute, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Register: func(a huma.API) {
			huma.Register(a, web.LargeBody(web.Operation("create-user", http.MethodPost, "/users", "Sign up")),
				func(_ context.Context, in *signUpInput) (*struct{}, error) {
					taken = append(taken, in.Body)
					return nil, nil
				})
		},
		Started: func() bool { return true }, Stopping: func() bool { return false },
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		taken = nil
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, httptest.NewRequest("POST", "/users", strings.NewReader(string(body))))
		if answer.Code != http.StatusNoContent && (answer.Code < 400 || answer.Code > 499) {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		for _, u := range taken {
			address, err := mail.ParseAddress(u.Email)
			if err != nil || address.Address != u.Email || address.Name != "" || utf8.RuneCountInString(u.Email) > 254 {
				t.Errorf("the address %q is taken: %v", u.Email, err)
			}
			if strings.TrimSpace(u.Name) == "" || utf8.RuneCountInString(u.Name) > 100 {
				t.Errorf("the name %q is taken", u.Name)
			}
			if n := utf8.RuneCountInString(u.Password); n < 8 || n > 1024 {
				t.Errorf("a password of %d characters is taken", n)
			}
		}
	})
}
