package pod_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/workload"
)

// The manifests that tests are made of.
var (
	deployment, template, service = kittest.Deployment, kittest.Template, kittest.Service
	town                          = kittest.Town
)

// read makes a plan of manifests.
func read(t *testing.T, manifests string) *workload.Plan {
	t.Helper()
	plan, err := workload.Read([]byte(manifests), nil)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// readGiven makes a plan of manifests with given variables for every workload.
func readGiven(t *testing.T, manifests string, env map[string]string) *workload.Plan {
	t.Helper()
	plan, err := workload.Read([]byte(manifests), func(*workload.Workload) map[string]string { return env })
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
func newSite(t *testing.T) pod.Site {
	t.Helper()
	dir := t.TempDir()
	last := 20000
	return pod.Site{
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

// newPod works out a pod and lays it out, which must succeed.
func newPod(t *testing.T, plan *workload.Plan, name string, site pod.Site) *pod.Pod {
	t.Helper()
	p, err := podOf(plan, find(t, plan, name), site)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// podOf works out a pod and lays it out.
func podOf(plan *workload.Plan, w *workload.Workload, site pod.Site) (*pod.Pod, error) {
	p, err := pod.New(plan, w, site)
	if err != nil {
		return nil, err
	}
	return p, p.LayOut()
}

// app returns the only container of a Deployment app with the given lines of
// its container's specification, beside other manifests.
func app(t *testing.T, site pod.Site, container string, others ...string) pod.Container {
	t.Helper()
	return appGiven(t, site, nil, container, others...)
}

// appGiven is app with given variables.
func appGiven(t *testing.T, site pod.Site, env map[string]string, container string, others ...string) pod.Container {
	t.Helper()
	p := newPod(t, readGiven(t, deployment("app", container)+strings.Join(others, ""), env), "app", site)
	if len(p.Containers) != 1 {
		t.Fatalf("%d containers, want 1", len(p.Containers))
	}
	return p.Containers[0]
}

// variable returns the value of a container's variable.
func variable(c pod.Container, name string) (string, bool) {
	for _, entry := range c.Env {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value, true
		}
	}
	return "", false
}

// wantVariables compares variables; "-" stands for none.
func wantVariables(t *testing.T, c pod.Container, want map[string]string) {
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

func wantNotes(t *testing.T, plan *workload.Plan, want ...string) {
	t.Helper()
	if !slices.Equal(plan.Notes, want) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(plan.Notes, "\n"), strings.Join(want, "\n"))
	}
}

// wantPorts compares a container's ports.
func wantPorts(t *testing.T, c pod.Container, want map[int32]int) {
	t.Helper()
	if len(c.Ports) != len(want) {
		t.Errorf("ports %v, want %v", c.Ports, want)
	}
	for port, here := range want {
		if c.Ports[port] != here {
			t.Errorf("port %d is %d here, want %d", port, c.Ports[port], here)
		}
	}
}
