//go:build unix

package up_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/up"
)

// A port that two workloads would listen on is refused before anything is
// compiled.
func TestRefusesAPortOfTwoWorkloads(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	manifests := ""
	for _, name := range []string{"back", "front"} {
		manifests += "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  template:\n    spec:\n      containers:\n" +
			"      - {name: web, image: ko://example.com/shop/cmd/web, ports: [{containerPort: 8080}, {name: metrics, containerPort: 19797}]}\n---\n"
	}
	if err := os.Mkdir(filepath.Join(dir, "conflict"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("conflict/kustomization.yaml", "resources: [metrics.yaml]\n")
	r.write("conflict/metrics.yaml", manifests)
	opts, log := options(t, io.Discard)
	defer log.Close()
	opts.Kustomization = "conflict"
	err := up.Run(t.Context(), opts)
	if want := "kustomization conflict: container web of deployment.apps/back and container web of deployment.apps/front listen on port 19797"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := os.Stat(filepath.Join(dir, opts.State)); !os.IsNotExist(err) {
		t.Errorf("there is a %s, as if something had been compiled (error %v)", opts.State, err)
	}
}

// PORT comes from a ConfigMap, there is no Service, and an argument tells of a
// second port: two replicas run, the front door leads to them, and a fixed port
// leaves one of them.
func TestLeadsThePortsThatTheProgramIsToldOf(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.write("main.go", `package main

import (
	"flag"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	metrics := flag.String("port-metrics", "", "")
	flag.Parse()
	if _, err := net.Listen("tcp", "127.0.0.1:"+*metrics); err != nil {
		panic(err)
	}
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "told") }))
}
`)
	r.write("config/told.yaml", `apiVersion: apps/v1
kind: Deployment
metadata: {name: told}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: main
        image: ko://example.com/shop
        args: [--port-metrics=19797]
        ports: [{name: metrics, containerPort: 19797}]
        envFrom: [{configMapRef: {name: told}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: told}
data: {PORT: "3000"}
`)
	r.replace("config/kustomization.yaml", "- other.yaml", "- told.yaml")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"told"} })
	r.prints("all 2 are ready")
	r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "told")
	r.replace("config/told.yaml", "[--port-metrics=19797]", "[--port-metrics, '0']")
	r.prints("only 1 of 2 replicas is run: container main listens on port 19797")
	r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "told")
}
