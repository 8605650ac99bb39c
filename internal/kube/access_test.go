package kube_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/koshop/koshop/internal/kube"
)

// refuse answers every request as an API server that refuses it does.
func refuse(code int, reason, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": %q, "reason": %q, "code": %d}`, message, reason, code)
	}
}

// A cluster that is down is told from one that does not take the user.
func TestExplain(t *testing.T) {
	expired := refuse(http.StatusUnauthorized, "Unauthorized", "Unauthorized")
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		change  func(*rest.Config)
		saw     string // HOST is the server
		remedy  string
		down    bool
	}{
		"a rejected token": {expired, nil,
			"HOST rejects the token or the certificate of the kubeconfig (401 Unauthorized)", "log in again", false},
		"a rejected token, by a proxy": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) }, nil,
			"HOST rejects the token or the certificate of the kubeconfig (401 Unauthorized)", "log in again", false},
		"no right": {refuse(http.StatusForbidden, "Forbidden", `User "system:anonymous" cannot get path "/version"`), nil,
			"HOST forbids it: Forbidden", "ask those who run the cluster", false},
		"another certificate": {expired, func(c *rest.Config) { c.CAData = nil },
			"HOST has a certificate that the kubeconfig does not trust: tls: failed to verify certificate: x509: ", "get the kubeconfig of this cluster again", false},
		"another name": {expired, func(c *rest.Config) { c.ServerName = "api.example.org" },
			"HOST has a certificate that the kubeconfig does not trust: tls: failed to verify certificate: x509: certificate is valid for", "kubeconfig of this cluster", false},
		"no program for credentials": {expired, func(c *rest.Config) {
			c.ExecProvider = &clientcmdapi.ExecConfig{Command: "no-such-login", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
		}, "the kubeconfig's program for credentials gives none for HOST: getting credentials: exec: executable no-such-login not found", "install that program or log in", false},
		"down": {nil, nil,
			"HOST does not answer: dial tcp 127.0.0.1:", "check that the cluster is up", true},
		"something else": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, nil,
			"HOST does not answer: ", "check that the cluster is up", true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(test.handler)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			config := &rest.Config{Host: server.URL}
			config.CAData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			if test.change != nil {
				test.change(config)
			}
			if test.handler == nil {
				server.Close()
			}
			_, asked := discovery.NewDiscoveryClientForConfigOrDie(config).ServerVersion()
			got := kube.Explain(server.URL, asked)
			if want := strings.ReplaceAll(test.saw, "HOST", server.URL); !strings.HasPrefix(got.Saw, want) {
				t.Errorf("it saw %q, want %q", got.Saw, want)
			}
			if !strings.Contains(got.Remedy, test.remedy) || got.Down != test.down {
				t.Errorf("down %v, remedy %q, want %q", got.Down, got.Remedy, test.remedy)
			}
			if !errors.Is(got, asked) || got.Error() != got.Saw+"; "+got.Remedy {
				t.Errorf("the error is %v, of %v", got, asked)
			}
		})
	}
}
