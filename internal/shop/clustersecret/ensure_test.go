package clustersecret_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/clustersecret"
	"github.com/koshop/koshop/internal/shop/config"
)

// apiServer answers the first requests with the given statuses, and every
// further one with the last of them.
type apiServer struct {
	*httptest.Server
	bodies []string
}

func newAPIServer(t *testing.T, message string, statuses ...int) *apiServer {
	s := &apiServer{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization"); got != "POST /api/v1/namespaces/api/secrets Bearer token-1" {
			t.Errorf("request %s", got)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.bodies = append(s.bodies, string(body))
		w.WriteHeader(statuses[min(len(s.bodies), len(statuses))-1])
		if err := json.NewEncoder(w).Encode(map[string]string{"kind": "Status", "message": message}); err != nil {
			t.Error(err)
		}
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(s.Close)
	return s
}

func (s *apiServer) config(t *testing.T) clustersecret.Config {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"namespace": "api", "token": "token-1\n",
		"ca.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return clustersecret.Config{Name: "postgres", Key: "password", Timeout: 10 * time.Second, AccountDir: dir, Host: host, Port: port}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestCreates(t *testing.T) {
	passwords := map[string]bool{}
	for range 2 {
		s := newAPIServer(t, "", http.StatusCreated)
		if err := clustersecret.Ensure(t.Context(), s.config(t), quiet()); err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Kind       string
			Metadata   struct{ Name string }
			StringData map[string]string
		}
		if err := json.Unmarshal([]byte(s.bodies[0]), &sent); err != nil {
			t.Fatal(err)
		}
		password := sent.StringData["password"]
		if raw, err := base64.RawURLEncoding.DecodeString(password); err != nil || len(raw) != 32 || sent.Kind != "Secret" || sent.Metadata.Name != "postgres" {
			t.Errorf("sent %s", s.bodies[0])
		}
		passwords[password] = true
	}
	if len(passwords) != 2 {
		t.Error("two Secrets have the same password")
	}
}

func TestLeavesAnExistingOne(t *testing.T) {
	s := newAPIServer(t, `secrets "postgres" already exists`, http.StatusConflict)
	if err := clustersecret.Ensure(t.Context(), s.config(t), quiet()); err != nil || len(s.bodies) != 1 {
		t.Errorf("%d requests, %v", len(s.bodies), err)
	}
}

func TestTriesAgain(t *testing.T) {
	s := newAPIServer(t, "etcd is starting", http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusCreated)
	if err := clustersecret.Ensure(t.Context(), s.config(t), quiet()); err != nil || len(s.bodies) != 3 {
		t.Errorf("%d requests, %v", len(s.bodies), err)
	}
	if s.bodies[0] != s.bodies[2] {
		t.Error("another attempt has another password")
	}
}

func TestRefusals(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusForbidden:           `403 Forbidden: no; its service account needs a Role with the rule {apiGroups: [""], resources: [secrets], verbs: [create]}`,
		http.StatusUnauthorized:        "401 Unauthorized: no",
		http.StatusUnprocessableEntity: "422 Unprocessable Entity: no",
	} {
		s := newAPIServer(t, "no", status)
		err := clustersecret.Ensure(t.Context(), s.config(t), quiet())
		if err == nil || !strings.Contains(err.Error(), "create Secret postgres in namespace api: ") || !strings.Contains(err.Error(), want) || len(s.bodies) != 1 {
			t.Errorf("%d: %d requests, %v", status, len(s.bodies), err)
		}
	}
}

func TestGivesUp(t *testing.T) {
	s := newAPIServer(t, "", http.StatusCreated)
	cfg := s.config(t)
	s.Close()
	cfg.Timeout = 300 * time.Millisecond
	if err := clustersecret.Ensure(t.Context(), cfg, quiet()); err == nil || !strings.Contains(err.Error(), "tried for 300ms") {
		t.Errorf("unreachable: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clustersecret.Ensure(ctx, cfg, quiet()); err == nil {
		t.Error("told to stop: no error")
	}
}

func TestStrangerIsNotTrusted(t *testing.T) {
	s := newAPIServer(t, "", http.StatusCreated)
	cfg := s.config(t)
	cfg.Timeout = 5 * time.Second
	cfg.Host = "localhost" // the certificate is for 127.0.0.1 and example.com
	if err := clustersecret.Ensure(t.Context(), cfg, quiet()); err == nil || !strings.Contains(err.Error(), "certificate") || len(s.bodies) != 0 {
		t.Errorf("%d requests, %v", len(s.bodies), err)
	}
}

func TestBrokenAccount(t *testing.T) {
	s := newAPIServer(t, "", http.StatusCreated)
	cfg := s.config(t)
	if err := os.WriteFile(filepath.Join(cfg.AccountDir, "ca.crt"), []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := clustersecret.Ensure(t.Context(), cfg, quiet()); err == nil || !strings.Contains(err.Error(), "ca.crt holds no certificate") {
		t.Errorf("got %v", err)
	}
	cfg.AccountDir = t.TempDir()
	if err := clustersecret.Ensure(t.Context(), cfg, quiet()); err == nil || !strings.Contains(err.Error(), "automountServiceAccountToken") {
		t.Errorf("got %v", err)
	}
}

func TestDefaults(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	var cfg clustersecret.Config
	vars := config.New("postgres-secret", "")
	cfg.Bind(vars)
	if err := vars.Load(); err != nil || cfg.Name != "postgres" || cfg.Key != "password" || cfg.Host != "10.0.0.1" {
		t.Errorf("%+v, %v", cfg, err)
	}
}
