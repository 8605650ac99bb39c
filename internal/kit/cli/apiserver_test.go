package cli_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// apiServer answers what a cluster is asked first, which kinds there are, and more by
// path. All else, every object included, is not there. It refuses other tokens than
// "valid".
func apiServer(t *testing.T, more ...map[string]string) *httptest.Server {
	t.Helper()
	answers := map[string]string{
		"/api": `{"kind": "APIVersions", "versions": ["v1"]}`,
		"/api/v1": `{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [
			{"name": "configmaps", "singularName": "configmap", "namespaced": true, "kind": "ConfigMap", "verbs": ["get", "create", "patch", "delete"]},
			{"name": "namespaces", "singularName": "namespace", "namespaced": false, "kind": "Namespace", "verbs": ["get", "create", "patch", "delete"]}]}`,
		"/apis": `{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}`,
	}
	for _, each := range more {
		maps.Copy(answers, each)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		code, answer := http.StatusOK, answers[r.URL.Path]
		switch {
		case r.Header.Get("Authorization") == "Bearer forbidden":
			code, answer = http.StatusForbidden, status(http.StatusForbidden, "Forbidden", `User "ada" cannot get path "`+r.URL.Path+`"`)
		case r.Header.Get("Authorization") != "Bearer valid":
			code, answer = http.StatusUnauthorized, status(http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		case answer == "":
			code, answer = http.StatusNotFound, status(http.StatusNotFound, "NotFound", `configmaps "settings" not found`)
		}
		w.WriteHeader(code)
		io.WriteString(w, answer)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func status(code int, reason, message string) string {
	return fmt.Sprintf(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": %q, "reason": %q, "code": %d}`, message, reason, code)
}

// useCluster makes a kubeconfig for a server the one in use. The namespace of the
// context may be "".
func useCluster(t *testing.T, server *httptest.Server, token, namespace string, trusted bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	cluster := "server: " + server.URL
	if trusted {
		ca := filepath.Join(filepath.Dir(file), "ca.pem")
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		cluster += ", certificate-authority: " + ca
	}
	content := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {%s}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: team, context: {cluster: c, user: u, namespace: %q}}]
current-context: team
`, cluster, token, namespace)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
}

// settings is a kustomization of a ConfigMap that names no namespace.
func settings(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"kustomization.yaml": "resources: [settings.yaml]\n",
		"settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n" +
			"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
	})
	return dir
}

// A cluster that does not take the user is no cluster that is down.
func TestClusterThatRefusesTheUser(t *testing.T) {
	for name, test := range map[string]struct {
		token   string
		trusted bool
		down    bool
		want    []string
		not     string
	}{
		"a rejected token": {token: "expired", trusted: true,
			want: []string{"asking for kind ConfigMap: HOST rejects the token or the certificate of the kubeconfig (401 Unauthorized); it is wrong or has expired: log in again"}, not: "is up"},
		"no right": {token: "forbidden", trusted: true,
			want: []string{"HOST forbids it: Forbidden; ", "ask those who run the cluster"}, not: "is up"},
		"an untrusted certificate": {token: "valid",
			want: []string{"HOST has a certificate that the kubeconfig does not trust: ", "get the kubeconfig of this cluster again"}, not: "is up"},
		"down": {token: "valid", trusted: true, down: true,
			want: []string{"HOST does not answer: ", "connection refused; check that the cluster is up"}, not: "log in"},
	} {
		t.Run(name, func(t *testing.T) {
			server := apiServer(t)
			useCluster(t, server, test.token, "", test.trusted)
			if test.down {
				server.Close()
			}
			t.Setenv("KO_DOCKER_REPO", "registry.example.com")
			for _, verb := range []string{"apply", "create", "delete"} {
				_, _, err := ko(t, verb, "-k", settings(t))
				for _, want := range test.want {
					if want = strings.ReplaceAll(want, "HOST", server.URL); err == nil || strings.Count(err.Error(), want) != 1 {
						t.Errorf("%s: the error does not have once %q: %v", verb, want, err)
					}
				}
				if err != nil && strings.Contains(err.Error(), test.not) {
					t.Errorf("%s: the error speaks of %q: %v", verb, test.not, err)
				}
			}
		})
	}
}
