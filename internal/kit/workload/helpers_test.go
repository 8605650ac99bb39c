package workload_test

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/workload"
)

// The manifests that tests are made of.
var (
	deployment, service = kittest.Deployment, kittest.Service
	town                = kittest.Town
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
