package workload_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/workload"
)

// read makes a plan of manifests.
func read(t *testing.T, manifests string) *workload.Plan {
	t.Helper()
	plan, err := workload.Read([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// find returns a workload of the plan.
func find(t *testing.T, plan *workload.Plan, name string) *workload.Workload {
	t.Helper()
	for _, w := range plan.Workloads {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("no workload %s", name)
	return nil
}

// newSite is a place for a pod. Its free ports are 20001, 20002 and so on;
// port 80 of Service orders-svc is reached at 127.0.0.1:30080 and so on.
func newSite(t *testing.T) workload.Site {
	t.Helper()
	dir := t.TempDir()
	last := 20000
	return workload.Site{
		Root:   filepath.Join(dir, "root"),
		Claims: filepath.Join(dir, "claims"),
		Binary: func(importPath string) string { return "/built/" + importPath },
		FreePort: func() (int, error) {
			last++
			return last, nil
		},
		Address: func(_ *workload.Service, port int32) string { return fmt.Sprintf("127.0.0.1:%d", 30000+port) },
	}
}

// pod works out a pod that must work out.
func pod(t *testing.T, plan *workload.Plan, name string, site workload.Site) *workload.Pod {
	t.Helper()
	p, err := plan.Pod(find(t, plan, name), site)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// app returns the only container of a Deployment app with the given lines of
// its container's specification, beside other manifests.
func app(t *testing.T, site workload.Site, container string, others ...string) workload.Container {
	t.Helper()
	p := pod(t, read(t, deployment("app", container)+strings.Join(others, "")), "app", site)
	if len(p.Containers) != 1 {
		t.Fatalf("%d containers, want 1", len(p.Containers))
	}
	return p.Containers[0]
}

// deployment is a Deployment in namespace api with one container; fields are
// lines of its specification without indent.
func deployment(name, fields string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: api}\nspec:\n" + template(name, fields) + "---\n"
}

// template is a pod template below spec.
func template(name, fields string) string {
	return "  template:\n    metadata: {labels: {app: " + name + "}}\n    spec:\n      containers:\n      - name: main\n        image: ko://example.com/cmd/" + name + "\n" +
		indent(fields, "        ")
}

func indent(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		out.WriteString(by + strings.TrimRight(line, "\n") + "\n")
	}
	return out.String()
}

// service is a Service in namespace api of a workload of the same name.
func service(name, ports string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: api}\nspec: {selector: {app: %s}, ports: %s}\n---\n", name, name, ports)
}

// variable returns the value of a container's variable.
func variable(c workload.Container, name string) (string, bool) {
	for _, entry := range c.Env {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value, true
		}
	}
	return "", false
}

// wantVariables compares variables; "-" stands for none.
func wantVariables(t *testing.T, c workload.Container, want map[string]string) {
	t.Helper()
	for name, value := range want {
		got, found := variable(c, name)
		if !found {
			got = "-"
		}
		if got != value {
			t.Errorf("%s=%q, want %q", name, got, value)
		}
	}
}
