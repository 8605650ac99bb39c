//go:build unix

package up_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/koshop/koshop/internal/kit/up"
)

// A program whose clients keep their connections is told to end before it is
// killed, and has time to write down what it has.
func TestProgramsWithKeptConnectionsAreToldToEnd(t *testing.T) {
	dir := newShop(t)
	saved := filepath.Join(dir, "saved")
	r := &run{t: t, dir: dir}
	r.write("main.go", fmt.Sprintf(`package main

import (
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	go func() {
		<-told
		time.Sleep(200 * time.Millisecond)
		os.WriteFile(%q, []byte("by "+os.Getenv("GENERATION")), 0o600)
		os.Exit(0)
	}()
	for {
		if _, err := listener.Accept(); err != nil {
			panic(err)
		}
	}
}
`, saved))
	r.write("config/store.yaml", `apiVersion: apps/v1
kind: Deployment
metadata: {name: store}
spec:
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 4
      containers:
      - name: main
        image: ko://example.com/shop
        env: [{name: GENERATION, value: one}]
        ports: [{name: sql, containerPort: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec: {selector: {app: store}, ports: [{name: sql, port: 5432}]}
`)
	r.replace("config/kustomization.yaml", "- other.yaml", "- store.yaml")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"store"} })
	r.prints("store: ready in")
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(r.out.String())
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	r.replace("config/store.yaml", "value: one", "value: two")
	r.wait(func() bool {
		text, err := os.ReadFile(saved)
		return err == nil && string(text) == "by one"
	}, func() string { return "the program before was killed without being told" })
}
