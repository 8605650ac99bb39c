package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

type person struct {
	Name     string   `json:"name" minLength:"1" maxLength:"10" doc:"How to call them"`
	Email    string   `json:"email" format:"email"`
	Password string   `json:"password" minLength:"12"`
	Tags     []string `json:"tags,omitempty" minItems:"1" maxItems:"2"`
}

type personInput struct{ Body person }

type personOutput struct{ Body person }

func register(api huma.API) {
	huma.Register(api, web.Operation("add", http.MethodPost, "/people", "Add a person", 400),
		func(_ context.Context, in *personInput) (*personOutput, error) { return &personOutput{in.Body}, nil })
	huma.Register(api, web.LargeBody(web.Operation("add-long", http.MethodPost, "/long", "Add a person", 400)),
		func(_ context.Context, in *personInput) (*personOutput, error) { return &personOutput{in.Body}, nil })
	fails := map[string]error{
		"/plain":    errors.New("secret innards"),
		"/missing":  fault.New(fault.NotFound, "No such thing"),
		"/wrapped":  fault.Wrap(errors.New("secret innards"), fault.Upstream, "other-svc failed"),
		"/internal": fault.Wrap(errors.New("secret innards"), fault.Internal, "secret detail"),
		"/outage":   fmt.Errorf("store: %w", fault.Wrap(errors.New("secret innards"), fault.Unavailable, "The data is away")),
		"/often":    fault.New(fault.TooMany, "Not so fast"),
		"/late":     context.DeadlineExceeded,
	}
	for path, err := range fails {
		huma.Register(api, web.Operation(path[1:], http.MethodGet, path, "Fail"),
			func(context.Context, *struct{}) (*personOutput, error) { return nil, err })
	}
	huma.Register(api, web.Operation("panic", http.MethodGet, "/panic", "Panic"),
		func(context.Context, *struct{}) (*personOutput, error) { panic("secret innards") })
}

// service starts a handler and returns its URL and what it logs.
func service(t *testing.T, change func(*web.Options)) (url string, log *bytes.Buffer) {
	log = &bytes.Buffer{}
	o := web.Options{
		Telemetry: telemetry.New("test-svc"),
		Name:      "test-svc", About: "Is under test.", Greeting: "Hi!", Timeout: time.Second, Register: register,
		Started:  func() bool { return true },
		Stopping: func() bool { return false },
		Ready:    func(context.Context) error { return nil },
		Log:      slog.New(requestid.LogHandler(slog.NewJSONHandler(log, nil))),
	}
	if change != nil {
		change(&o)
	}
	srv := httptest.NewServer(web.NewHandler(o))
	t.Cleanup(srv.Close)
	return srv.URL, log
}

func send(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(requestid.Header, "test-id")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}
