package clustersecret

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	passwordBytes = 32
	firstPause    = 200 * time.Millisecond
	longestPause  = 5 * time.Second
	maxAnswer     = 64 << 10 // bytes
)

// secret is the part of a core/v1 Secret that is sent.
type secret struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Type       string            `json:"type"`
	StringData map[string]string `json:"stringData"`
}

type metadata struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// Ensure creates the Secret with a new password. A Secret that exists is left
// as it is. Failures that may pass are tried again until Config.Timeout.
func Ensure(ctx context.Context, cfg Config, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	account, err := readAccount(cfg.AccountDir)
	if err != nil {
		return err
	}
	body, err := json.Marshal(newSecret(cfg))
	if err != nil {
		return fmt.Errorf("encode Secret %s: %w", cfg.Name, err)
	}
	defer account.http.CloseIdleConnections()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		created, again, err := create(ctx, cfg, account, body)
		if err == nil {
			log.InfoContext(ctx, "the Secret exists", "namespace", account.namespace, "secret", cfg.Name, "created", created)
			return nil
		}
		err = fmt.Errorf("create Secret %s in namespace %s: %w", cfg.Name, account.namespace, err)
		if !again {
			return err
		}
		log.WarnContext(ctx, "trying again", "in", pause.String(), "error", err.Error())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w (tried for %v)", err, cfg.Timeout)
		}
	}
}

func newSecret(cfg Config) secret {
	password := make([]byte, passwordBytes)
	rand.Read(password) // never fails: it ends the program instead
	return secret{
		APIVersion: "v1", Kind: "Secret", Type: "Opaque",
		Metadata:   metadata{Name: cfg.Name, Labels: map[string]string{"app.kubernetes.io/managed-by": "postgres-secret"}},
		StringData: map[string]string{cfg.Key: base64.RawURLEncoding.EncodeToString(password)},
	}
}

// create sends the Secret once. It reports whether the Secret is new, and with
// an error whether another attempt may succeed.
func create(ctx context.Context, cfg Config, a *account, body []byte) (created, again bool, err error) {
	u := url.URL{
		Scheme: "https", Host: net.JoinHostPort(cfg.Host, cfg.Port),
		Path: "/api/v1/namespaces/" + a.namespace + "/secrets",
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return false, false, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := a.http.Do(req)
	if err != nil {
		return false, true, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return false, true, err
	}
	switch code := res.StatusCode; {
	case code == http.StatusCreated:
		return true, false, nil
	case code == http.StatusConflict:
		return false, false, nil
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return false, true, refusal(res.Status, answer)
	case code == http.StatusForbidden:
		return false, false, fmt.Errorf("%w; its service account needs a Role with the rule "+
			`{apiGroups: [""], resources: [secrets], verbs: [create]} and a RoleBinding to it`, refusal(res.Status, answer))
	default:
		return false, false, refusal(res.Status, answer)
	}
}

// refusal is the API server's own explanation.
func refusal(status string, answer []byte) error {
	var explained struct{ Message string }
	if json.Unmarshal(answer, &explained) != nil || explained.Message == "" {
		return fmt.Errorf("the API server answered %s", status)
	}
	return fmt.Errorf("the API server answered %s: %s", status, explained.Message)
}
