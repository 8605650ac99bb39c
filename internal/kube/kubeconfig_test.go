package kube_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/kube"
)

const (
	proxy = `apiVersion: v1
kind: Config
clusters: [{name: proxy, cluster: {server: "http://localhost:8080"}}]
contexts: [{name: proxy, context: {cluster: proxy, namespace: team}}]
`
	nobody = "http://localhost:8080" // is what client-go takes for a cluster
)

// read reads a kubeconfig, or none for "", with kubectl's flags.
func read(t *testing.T, content string, args ...string) (kube.Choice, string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if content != "" {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECONFIG", file)
	flags := genericclioptions.NewConfigFlags(true)
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.AddFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	choice, err := kube.Read(flags)
	return choice, file, err
}

func TestChoice(t *testing.T) {
	for name, test := range map[string]struct {
		content         string
		args            []string
		host, namespace string
	}{
		"the current context": {proxy + "current-context: proxy\n", nil, nobody, "team"},
		"--context":           {proxy, []string{"--context=proxy"}, nobody, "team"},
		"--cluster":           {proxy, []string{"--cluster=proxy"}, nobody, "default"},
		"--server":            {"", []string{"--server=https://192.0.2.1"}, "https://192.0.2.1", "default"},
		"--server, that one":  {"", []string{"--server=" + nobody}, nobody, "default"},
		"--namespace":         {proxy, []string{"--context=proxy", "--namespace=other"}, nobody, "other"},
	} {
		choice, _, err := read(t, test.content, test.args...)
		if err != nil || choice.Config.Host != test.host || choice.Namespace != test.namespace {
			t.Errorf("%s: %+v, error %v", name, choice, err)
		}
	}
}

// Why it is this namespace is said with it.
func TestReason(t *testing.T) {
	const bare = "apiVersion: v1\nkind: Config\ncurrent-context: bare\nclusters: [{name: c, cluster: {server: \"https://192.0.2.1\"}}]\n" +
		"contexts: [{name: bare, context: {cluster: c}}]\n"
	for name, test := range map[string]struct {
		content string
		args    []string
		want    string
	}{
		"the context":    {proxy, []string{"--context=proxy"}, "which the context proxy names"},
		"a bare context": {bare, nil, "because the context bare names no other"},
		"no context":     {"", []string{"--server=https://192.0.2.1"}, "because no context names another"},
		"--namespace":    {proxy, []string{"--context=proxy", "--namespace=other"}, "which --namespace names"},
	} {
		if choice, _, err := read(t, test.content, test.args...); err != nil || choice.Reason != test.want {
			t.Errorf("%s: %q, error %v, want %q", name, choice.Reason, err, test.want)
		}
	}
}

// Where nothing names a cluster, what listens on port 8080 is not taken for one.
func TestNothingNamesACluster(t *testing.T) {
	const next = "; name a cluster with --context, --kubeconfig or KUBECONFIG"
	for name, test := range map[string]struct {
		content string
		args    []string
		want    string // FILE is the kubeconfig
	}{
		"no file":              {"", nil, "reading the kubeconfig: there is no FILE" + next},
		"no file, a namespace": {"", []string{"--namespace=team"}, "there is no FILE" + next},
		"no context":           {proxy, nil, "reading the kubeconfig: FILE chooses no cluster" + next},
		"nothing in it":        {"kind: Config\n", nil, "FILE chooses no cluster" + next},
		"an unknown context":   {proxy, []string{"--context=other"}, `context "other" does not exist` + next},
		"an unknown cluster":   {proxy, []string{"--cluster=other"}, `cluster "other" does not exist` + next},
	} {
		_, file, err := read(t, test.content, test.args...)
		if want := strings.ReplaceAll(test.want, "FILE", file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
	t.Setenv("KUBECONFIG", "/none/a"+string(os.PathListSeparator)+"/none/b")
	if _, err := kube.Read(genericclioptions.NewConfigFlags(true)); err == nil || !strings.Contains(err.Error(), "there is no /none/a, and no /none/b;") {
		t.Errorf("two files: error %v", err)
	}
}
