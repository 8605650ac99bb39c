//go:build unix

package up_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/up"
)

// listens is a program that listens on a port of its own, which no variable
// names, logs that it cannot, and answers on PORT.
func (r *run) listens(port int, answer string) {
	r.write("main.go", fmt.Sprintf(`package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	if _, err := net.Listen("tcp", "127.0.0.1:%d"); err != nil {
		fmt.Println("metrics:", err)
		time.Sleep(time.Second) // Ready long after the line.
	}
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, %q) }))
}
`, port, answer))
}

// insists is the same, but ends if it cannot listen on its port.
func (r *run) insists(port int, answer string) {
	r.listens(port, answer)
	r.replace("main.go", "time.Sleep(time.Second) // Ready long after the line.", "os.Exit(1)")
	r.replace("main.go", "\t\"time\"\n", "")
}

// fixed is a Deployment of the program, with more ports.
func (r *run) fixed(replicas int, ports string) {
	r.write("config/fixed.yaml", fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: fixed}
spec:
  replicas: %d
  selector: {matchLabels: {app: fixed}}
  template:
    metadata: {labels: {app: fixed}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: ko://example.com/shop
        ports: [{name: http, containerPort: 8080}%s]
---
apiVersion: v1
kind: Service
metadata: {name: fixed}
spec: {selector: {app: fixed}, ports: [{port: 80, targetPort: http}]}
`, replicas, ports))
	r.replace("config/kustomization.yaml", "- other.yaml", "- fixed.yaml")
}

// A program that lacks one of its ports is not ready, though only its log says so.
func TestReplicasWithTheSamePort(t *testing.T) {
	dir, port := newShop(t), kittest.FreePort(t)
	r := &run{t: t, dir: dir}
	r.listens(port, "one")
	r.fixed(3, "")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"fixed"} })
	r.answers(r.service("fixed", "/"), "one")
	r.wait(func() bool {
		return r.count(fmt.Sprintf(": port %d is in use by fixed-", port)) >= 2 && r.count("it does not listen there") >= 2
	}, func() string { return "it does not say who has the port" })
	if strings.Contains(r.out.String(), "all 3 are ready") {
		t.Error("it says that all are ready")
	}
	if n := r.count(": ready in"); n > 1 {
		t.Errorf("%d replicas are said to be ready, of which one can have the port", n)
	}
}

// A port that another program has is waited for.
func TestWaitsForAPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.listens(port, "one")
	r.fixed(1, fmt.Sprintf(", {containerPort: %d}", port))
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"fixed"} })
	r.prints(fmt.Sprintf("fixed: port %d is in use by ", port))
	taken.Close()
	r.answers(r.service("fixed", "/"), "one")
	if strings.Contains(r.out.String(), "metrics:") {
		t.Error("it was started before the port was free")
	}
}

// A port that only the code names is the version's before when the next one
// starts: that one is started again when the port is free.
func TestTakesOverAPortThatOnlyTheCodeNames(t *testing.T) {
	dir, port := newShop(t), kittest.FreePort(t)
	r := &run{t: t, dir: dir}
	r.listens(port, "one")
	r.fixed(1, "")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"fixed"} })
	r.answers(r.service("fixed", "/"), "one")
	r.listens(port, "two")
	r.prints(fmt.Sprintf("port %d is in use by the version before", port))
	r.prints(fmt.Sprintf("port %d is free now", port))
	r.answers(r.service("fixed", "/"), "two")
	r.wait(func() bool {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			connection.Close()
		}
		return err == nil
	}, func() string { return "nothing listens on the port" })
}

// A program that ends because the version before has its port takes over when that
// has ended.
func TestTakesOverFromAVersionThatItCannotRunBeside(t *testing.T) {
	dir, port := newShop(t), kittest.FreePort(t)
	r := &run{t: t, dir: dir}
	r.insists(port, "one")
	r.fixed(1, "")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"fixed"} })
	r.answers(r.service("fixed", "/"), "one")
	r.insists(port, "two")
	r.prints("the version before")
	r.answers(r.service("fixed", "/"), "two")
}

// A worker may share a ConfigMap with PORT: it is ready though it listens nowhere.
func TestAWorkerMaySharePORT(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.write("main.go", "package main\n\nfunc main() { select {} }\n")
	r.replace("main.go", "select {}", "for { time.Sleep(time.Hour) }")
	r.replace("main.go", "package main\n", "package main\n\nimport \"time\"\n")
	r.write("config/worker.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: worker}\nspec:\n  template:\n    spec:\n"+
		"      containers: [{name: main, image: ko://example.com/shop, envFrom: [{configMapRef: {name: shared}}]}]\n---\n"+
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {PORT: '3000'}\n")
	r.replace("config/kustomization.yaml", "- other.yaml", "- worker.yaml")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"worker"} })
	r.prints("worker: ready in")
}
