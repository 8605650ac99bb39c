package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// look takes one step of a section.
func look(t *testing.T, steps []report.Step, name string) report.Finding {
	t.Helper()
	for _, step := range steps {
		if step.Name == name {
			return step.Look(t.Context())
		}
	}
	t.Fatalf("there is no step %s", name)
	return report.Finding{}
}

// want compares a finding with its status and parts of what it saw and advises.
func want(t *testing.T, got report.Finding, status report.Status, saw, next string) {
	t.Helper()
	if got.Status != status || !strings.Contains(got.Saw, saw) || !strings.Contains(got.Next, next) {
		t.Errorf("%s: saw %q, next %q; want %s: %q, %q", got.Status, got.Saw, got.Next, status, saw, next)
	}
}

// program puts a shell script of that name before all else on PATH.
func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestToolsOfThisMachine(t *testing.T) {
	for _, name := range []string{"go", "git"} {
		want(t, look(t, tools(), name), report.Passed, "", "")
	}
}

func TestMissingTools(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	want(t, look(t, tools(), "go"), report.Failed, "not on PATH", "go.dev/dl")
	want(t, look(t, tools(), "make"), report.Failed, "not on PATH", "install")
	want(t, look(t, tools(), "curl"), report.Failed, "not on PATH", "curl.se")
	want(t, look(t, tools(), "kubectl"), report.Warned, "not on PATH", "for chapters users, products, deploy")
	want(t, look(t, tools(), "tilt"), report.Warned, "not on PATH", "for chapters users and products")
	want(t, look(t, tools(), "telepresence"), report.Warned, "not on PATH", "for chapters connect, payments, gateway, duplicate and class,")
	want(t, look(t, Laptop{}.network(), "intercepts"), report.Skipped, "not on PATH", "")
}

func TestVersions(t *testing.T) {
	for printed, status := range map[string]report.Status{
		"v0.37.6, built 2026-09-01":     report.Passed,
		"v0.37.6-dev, built 2026-11-25": report.Passed,
		"v0.40.0, built 2027-01-01":     report.Passed,
		"v0.9.9, built 2019-01-01":      report.Warned,
		"The Tilt of a children's game": report.Warned,
	} {
		program(t, "tilt", "echo "+`"`+printed+`"`)
		if got := look(t, tools(), "tilt"); got.Status != status {
			t.Errorf("%s: %+v", printed, got)
		}
	}
	for printed, status := range map[string]report.Status{
		"curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1": report.Passed,
		"curl 8.7.1 (x86_64-apple-darwin24.0)":             report.Passed,
		"curl 7.82.0 (Windows) libcurl/7.82.0":             report.Passed,
		"curl 7.81.0 (x86_64-pc-linux-gnu) libcurl/7.81.0": report.Warned,
		"curl": report.Warned,
	} {
		program(t, "curl", "echo '"+printed+"'")
		if got := look(t, tools(), "curl"); got.Status != status {
			t.Errorf("%s: %+v", printed, got)
		}
	}
	program(t, "curl", "echo curl 7.81.0; test $1 = --version")
	want(t, look(t, tools(), "curl"), report.Warned, "7.81.0, and --json came with v7.82.0", "--data for --json")
	program(t, "curl", "echo it is broken >&2; exit 1")
	want(t, look(t, tools(), "curl"), report.Failed, "it is broken", "install")
	program(t, "telepresence", "echo 'OSS Client : v2.19.0'")
	want(t, look(t, tools(), "telepresence"), report.Warned, "v2.19.0, and the workshop was verified with v2.20.2", "install")
	program(t, "go", "case $1 in list) echo 1.26.3;; env) echo go1.25.1;; esac")
	want(t, look(t, tools(), "go"), report.Failed, "go1.25.1, and go.mod asks for 1.26.3", "go.dev/dl")
}

func TestRegistry(t *testing.T) {
	step := func(repository string) report.Finding {
		return look(t, Laptop{Repository: repository}.cluster(), "registry")
	}
	registry := kittest.Registry(t)
	want(t, step(registry), report.Passed, "pushed "+registry+"/workshop-doctor, and deleted it", "")
	want(t, step(""), report.Failed, "KO_DOCKER_REPO is not set", "export KO_DOCKER_REPO")
	want(t, step("kind.local"), report.Skipped, "no registry", "")

	forbidding := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			http.Error(w, `{"errors": [{"code": "DENIED"}]}`, http.StatusForbidden)
		}
	}))
	defer forbidding.Close()
	want(t, step(strings.TrimPrefix(forbidding.URL, "http://")), report.Failed, "403 Forbidden", "ko login")
}

// apiServer answers as one that grants all rights but those forbidden, at a time
// of its own.
func apiServer(t *testing.T, version string, skew time.Duration, forbidden string) Laptop {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-skew).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/version" {
			fmt.Fprintf(w, `{"gitVersion": %q, "platform": "linux/amd64"}`, version)
			return
		}
		if r.URL.Path == "/api/v1/namespaces/api" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`)
			return
		}
		var review authorizationv1.SelfSubjectAccessReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		asked := review.Spec.ResourceAttributes
		review.Status.Allowed = asked.Verb+" "+asked.Resource+"/"+asked.Subresource != forbidden
		json.NewEncoder(w).Encode(review)
	}))
	t.Cleanup(server.Close)
	return Laptop{Connect: func() (*cluster.Shop, error) {
		config := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
		return cluster.New(config, "api")
	}}
}

// clusterSteps takes all steps of the cluster, and returns what became of them.
func clusterSteps(t *testing.T, l Laptop) map[string]report.Finding {
	t.Helper()
	found := map[string]report.Finding{}
	for _, step := range report.Run(t.Context(), report.Section{Steps: l.cluster()[1:]}, report.Quiet{}).Steps {
		found[step.Name] = step.Finding
	}
	return found
}

func TestCluster(t *testing.T) {
	healthy := clusterSteps(t, apiServer(t, "v1.34.4", 0, ""))
	want(t, healthy["answers"], report.Passed, "Kubernetes v1.34.4", "")
	want(t, healthy["clock"], report.Passed, "", "")
	want(t, healthy["rights"], report.Passed, "namespace api", "")

	want(t, clusterSteps(t, apiServer(t, "v1.29.1", 0, ""))["answers"], report.Failed, "v1.29.1", "v1.31 or newer")
	want(t, clusterSteps(t, apiServer(t, "v1.34.4", time.Hour, ""))["clock"], report.Failed, "1h0m", "set the clock")
	want(t, clusterSteps(t, apiServer(t, "v1.34.4", -time.Hour, ""))["clock"], report.Failed, "-", "set the clock")
	want(t, clusterSteps(t, apiServer(t, "v1.34.4", 0, "create pods/exec"))["rights"], report.Failed, "you may not create pods/exec", "--namespace")
	want(t, clusterSteps(t, apiServer(t, "v1.34.4", 0, "create namespaces/"))["rights"], report.Failed, "you may not make it", "ask")

	gone := clusterSteps(t, Laptop{Connect: func() (*cluster.Shop, error) { return nil, errors.New("no kubeconfig") }})
	want(t, gone["answers"], report.Failed, "no kubeconfig", "KUBECONFIG")
	want(t, gone["clock"], report.Skipped, "needs answers", "")
}

func TestNames(t *testing.T) {
	names := func(answers map[string]string) []report.Step {
		return Laptop{Lookup: func(_ context.Context, host string) ([]string, error) {
			for suffix, address := range answers {
				if strings.HasSuffix(host, suffix) {
					return []string{address}, nil
				}
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}}.network()
	}
	healthy := names(map[string]string{"localhost": "127.0.0.1"})
	want(t, look(t, healthy, "localhost"), report.Passed, "", "")
	want(t, look(t, healthy, "other names"), report.Passed, "", "")

	plain := Laptop{Lookup: func(_ context.Context, host string) ([]string, error) {
		if host == "localhost" {
			return []string{"127.0.0.1"}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}}.network()
	want(t, look(t, plain, "localhost"), report.Warned, "api-gateway.api.localhost: no such host", "curl and browsers")

	wildcard := names(map[string]string{"": "203.0.113.7"})
	want(t, look(t, wildcard, "localhost"), report.Failed, "leads to 203.0.113.7", "VPN")
	want(t, look(t, wildcard, "other names"), report.Failed, ".api, which nobody has, is 203.0.113.7", "VPN")
	want(t, look(t, names(map[string]string{"": "::1"}), "other names"), report.Failed, "is ::1", "VPN")
	want(t, look(t, names(nil), "localhost"), report.Failed, "no such host", "hosts file")
}

func TestPorts(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	ports := func() report.Finding { return look(t, Laptop{Ports: []Port{{port, "ko up"}}}.network(), "ports") }
	want(t, ports(), report.Failed, fmt.Sprintf("port %d is in use by", port), "stop what listens")
	listener.Close()
	want(t, ports(), report.Passed, fmt.Sprint(port), "")
}

// An intercept that leads to nobody makes the cluster's requests fail.
func TestIntercepts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	telepresence := func(status string) report.Finding {
		list := fmt.Sprintf(`{"stdout": [{"intercept_infos": [{"disposition": 1, "spec": {"name": "payments-svc", "namespace": "api", "target_host": "127.0.0.1", "target_port": %d}}]}]}`,
			listener.Addr().(*net.TCPAddr).Port)
		program(t, "telepresence", "case $1 in status) echo '"+status+"';; list) echo '"+list+"';; esac")
		return look(t, Laptop{}.network(), "intercepts")
	}
	const connected = `{"daemon": {"running": true, "status": "Connected", "version": "2.20.2"}}`
	want(t, telepresence(connected), report.Passed, "1, by Telepresence 2.20.2", "")
	want(t, telepresence(`{"user_daemon": {}}`), report.Passed, "no daemon", "")
	want(t, telepresence(`{"user_daemon": {"running": true, "version": "2.20.2"}}`), report.Warned, "is not connected", "telepresence quit")
	want(t, telepresence("what?"), report.Failed, "unexpected", "telepresence quit")
	listener.Close()
	want(t, telepresence(connected), report.Failed, "nothing listens", "telepresence leave payments-svc")
}
