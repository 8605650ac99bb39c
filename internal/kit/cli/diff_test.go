package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/koshop/koshop/internal/kit/cli"
	"github.com/koshop/koshop/internal/kit/kittest"
)

// dryRunServer has objects, by the paths of their requests, and answers dry runs with
// what they send. Anything else that would change something fails the test.
func dryRunServer(t *testing.T, objects map[string]string) *httptest.Server {
	t.Helper()
	kinds := map[string]string{
		"/api": `{"kind": "APIVersions", "versions": ["v1"]}`,
		"/api/v1": `{"kind": "APIResourceList", "groupVersion": "v1", "resources": [
			{"name": "configmaps", "singularName": "configmap", "namespaced": true, "kind": "ConfigMap", "verbs": ["get", "patch"]}]}`,
		"/apis": `{"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": "apps",
			"versions": [{"groupVersion": "apps/v1", "version": "v1"}], "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}}]}`,
		"/apis/apps/v1": `{"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
			{"name": "deployments", "singularName": "deployment", "namespaced": true, "kind": "Deployment", "verbs": ["get", "patch"]}]}`,
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := kinds[r.URL.Path] + objects[r.URL.Path]
		if r.Method != http.MethodGet {
			sent, err := io.ReadAll(r.Body)
			if err != nil || r.URL.Query().Get("dryRun") != "All" {
				t.Errorf("%s %s, error %v: it is no dry run:\n%s", r.Method, r.URL, err, sent)
			}
			answer = string(sent)
		}
		if answer == "" {
			w.WriteHeader(http.StatusNotFound)
			answer = status(http.StatusNotFound, "NotFound", "it is not there")
		}
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	useCluster(t, server, "valid", "team", true)
	return server
}

// One of the objects is as it is to be, and the other is not there, or is another one.
func TestDiff(t *testing.T) {
	const path = "/api/v1/namespaces/team/configmaps/"
	object := func(name, data string) string {
		return `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "` + name + `", "namespace": "team"}` + data + `}`
	}
	const applied = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more", "namespace": "team", "managedFields": [{
		"manager": "ko", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}}]}, "data": {"a": "b"}}`
	for name, test := range map[string]struct {
		more  string // the second object, as it is there
		flags []string
		want  string
		code  int
	}{
		"nothing differs":         {object("more", ""), nil, "", 0},
		"nothing differs as JSON": {object("more", ""), []string{"-o", "json"}, `"change":"unchanged"`, 0},
		"one is new":              {"", nil, "--- LIVE/v1.ConfigMap.team.more\n+++ MERGED/v1.ConfigMap.team.more\n@@ -0,0 +1,5 @@\n", 1},
		"one is new as JSON":      {"", []string{"--output=json"}, `"change":"created"`, 1},
		"one is another":          {applied, nil, "\n-data:\n-  a: b\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KO_DOCKER_REPO", "registry.example.com")
			dryRunServer(t, map[string]string{path + "settings": object("settings", ""), path + "more": test.more})
			stdout, stderr, err := ko(t, append([]string{"diff", "-k", settings(t)}, test.flags...)...)
			if cli.ExitCode(err) != test.code || !strings.Contains(stdout, test.want) || test.want == "" && stdout != "" {
				t.Errorf("exit status %d, error %v; it printed\n%s\nwant %d and\n%s", cli.ExitCode(err), err, stdout, test.code, test.want)
			}
			if strings.Contains(stderr, "Error") || strings.Contains(stdout, "\x1b") {
				t.Errorf("it printed\n%s\nand on standard error\n%s", stdout, stderr)
			}
			if len(test.flags) > 0 && !json.Valid([]byte(stdout)) {
				t.Errorf("it is no JSON:\n%s", stdout)
			}
		})
	}
}

// An image is not published to be compared, and is named as if it were.
func TestDiffPublishesNothing(t *testing.T) {
	for how, flags := range map[string][]string{
		"by digest":       nil,
		"with a tag":      {"--tags=v1"},
		"with many tags":  {"--tags=v1,v2"},
		"by a tag":        {"--tags=v1", "--tag-only"},
		"with its path":   {"--preserve-import-paths"},
		"said explicitly": {"--push=false"},
	} {
		t.Run(how, func(t *testing.T) {
			host := kittest.UseRegistry(t)
			dryRunServer(t, nil)
			t.Chdir(guestbook)
			image := regexp.MustCompile(regexp.QuoteMeta(host) + `/[^"\s]*\bweb[^"\s]*`)
			args := append([]string{"-q", "-k", "config/overlays/prod", "-l", "app=web"}, flags...)
			stdout, _, err := ko(t, append([]string{"diff"}, args...)...)
			found := image.FindString(stdout)
			if cli.ExitCode(err) != 1 || found == "" {
				t.Fatalf("error %v; it printed\n%s", err, stdout)
			}
			reference, err := name.ParseReference(found)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := remote.Head(reference); err == nil {
				t.Errorf("%s is published", found)
			}
			if how == "said explicitly" {
				args = args[:len(args)-1]
			}
			published, _, err := ko(t, append([]string{"resolve"}, args...)...)
			if err != nil || image.FindString(published) != found {
				t.Errorf("error %v, it is published as %s, and was shown as %s", err, image.FindString(published), found)
			}
		})
	}
}

// Errors are told from differences by the exit status.
func TestMistakesWithDiff(t *testing.T) {
	overlay := "config/overlays/prod"
	tests := map[string]mistake{
		"no directory":              {args: []string{"diff"}, want: []string{"ko diff needs the directory of a kustomization: ko diff -k DIRECTORY"}},
		"files":                     {args: []string{"diff", "-f", "config/base/web.yaml"}, want: []string{"unknown shorthand flag: 'f'"}},
		"an unknown form":           {args: []string{"diff", "-k", overlay, "-o", "yaml"}, want: []string{`--output "yaml": the only form that there is is json`}},
		"no cluster":                {args: []string{"diff", "-k", overlay, "--context", "nowhere"}, want: []string{`context "nowhere" does not exist`}},
		"kubectl's other flags":     {args: []string{"diff", "-k", overlay, "--", "--prune"}, want: []string{"unknown flag: --prune", "connection flags"}},
		"the nodes of kind":         {env: map[string]string{"KO_DOCKER_REPO": "kind.local"}, args: []string{"diff", "-k", overlay}, want: []string{"pass --push"}},
		"the container daemon":      {args: []string{"diff", "-k", overlay, "-L"}, want: []string{"pass --push"}},
		"a tarball":                 {args: []string{"diff", "-k", overlay, "--tarball=a.tar"}, want: []string{"--tarball goes with --push"}},
		"a namespace that is wrong": {args: []string{"diff", "-k", overlay, "-n", "Team"}, want: []string{`--namespace "Team"`}},
	}
	mistakes(t, tests)
	for name, test := range tests {
		t.Run("exit status of "+name, func(t *testing.T) {
			kittest.UseRegistry(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			t.Setenv("KUBECONFIG", t.TempDir()+"/none")
			t.Chdir(guestbook)
			if _, _, err := ko(t, test.args...); cli.ExitCode(err) != 2 {
				t.Errorf("exit status %d, error %v", cli.ExitCode(err), err)
			}
		})
	}
}
