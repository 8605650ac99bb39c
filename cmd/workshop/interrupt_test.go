package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// useCluster makes a kubeconfig lead to a server, and nowhere else.
func useCluster(t *testing.T, server string) {
	t.Helper()
	config := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q}}]
contexts: [{name: test, context: {cluster: test}}]
current-context: test
`, server)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
}

// Where the cluster never answers, an interrupted command ends all the same.
func TestInterrupted(t *testing.T) {
	t.Chdir("../..")
	up := "class up --size 2 --dir " + t.TempDir()
	for line, said := range map[string]error{
		"check deploy":     errSaid,
		"check":            errSaid,
		"check -o json":    errSaid,
		"reset --yes":      context.Canceled,
		"class list":       context.Canceled,
		"class down --yes": context.Canceled,
		up:                 context.Canceled,
	} {
		t.Run(line, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			over := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				interrupt()
				<-over
			}))
			defer server.Close()
			defer close(over)
			useCluster(t, server.URL)
			var out strings.Builder
			root := command()
			root.SetArgs(strings.Fields(line))
			root.SetOut(&out)
			root.SetErr(&out)
			if err := root.ExecuteContext(ctx); !errors.Is(err, said) || ctx.Err() == nil {
				t.Errorf("error %v, want %v", err, said)
			}
			if strings.Contains(out.String(), "does not answer") || strings.Contains(out.String(), `"passed"`) {
				t.Errorf("it says:\n%s", &out)
			}
		})
	}
}
