//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeTiny writes a module with that many programs, each of a package of its own and
// one that all share, and returns its directory. They are built as the shop is.
func writeTiny(b *testing.B, programs int) string {
	b.Helper()
	root := b.TempDir()
	settings, err := os.ReadFile(filepath.Join(repository, ".ko.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	writeFile(b, root, ".ko.yaml", string(settings))
	writeFile(b, root, "go.mod", "module example.com/tiny\n\ngo 1.26\n")
	makeDir(b, root, "greeting")
	writeFile(b, root, "greeting/greeting.go", "package greeting\n\nfunc Say(who string) { println(\"hello from\", who) }\n")
	for i := range programs {
		dir := makeDir(b, root, "cmd/"+tinyName(i))
		writeFile(b, dir, "main.go", fmt.Sprintf("package main\n\nimport \"example.com/tiny/greeting\"\n\nfunc main() { greeting.Say(%q) }\n", tinyName(i)))
	}
	return root
}

func tinyName(i int) string { return fmt.Sprintf("tiny-%04d", i) }

// tinyKustomization writes a kustomization with one Deployment for each of the first
// programs of a tiny module, and returns its directory. It has no pods: what they cost
// the node is not what is measured.
func tinyKustomization(b *testing.B, root string, workloads int) string {
	b.Helper()
	dir := makeDir(b, root, fmt.Sprintf("deploy-%d", workloads))
	var objects strings.Builder
	objects.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: tiny}\n")
	for i := range workloads {
		fmt.Fprintf(&objects, `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: 0
  selector: {matchLabels: {app.kubernetes.io/name: %[1]s}}
  template:
    metadata: {labels: {app.kubernetes.io/name: %[1]s}}
    spec:
      containers:
      - {name: %[1]s, image: "ko://example.com/tiny/cmd/%[1]s"}
`, tinyName(i))
	}
	writeFile(b, dir, "workloads.yaml", objects.String())
	writeFile(b, dir, "kustomization.yaml", "namespace: tiny\nresources:\n- workloads.yaml\n")
	return dir
}

// makeDir makes a directory below another one, and returns it.
func makeDir(b *testing.B, root, name string) string {
	b.Helper()
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	return dir
}
