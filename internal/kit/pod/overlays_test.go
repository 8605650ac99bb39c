package pod_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/workload"
)

// overlay makes a plan of one of this repository's overlays, with variables that
// are given.
func overlay(t *testing.T, name string, given map[string]string) *workload.Plan {
	t.Helper()
	manifests, err := render.Kustomization(filepath.Join("..", "..", "..", "kustomize", "overlays", name), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return readGiven(t, string(manifests), given)
}

func TestDev(t *testing.T) {
	plan := overlay(t, "dev", nil)
	if len(plan.Workloads) != 5 || len(plan.Services) != 5 {
		t.Fatalf("workloads %v, services %v, want 5 of each", plan.Workloads, plan.Services)
	}
	wantNotes(t, plan)
	if front := plan.Front(); front.Name != "api-gateway" || !front.Ports[0].HTTP {
		t.Errorf("front %v, want api-gateway", front)
	}
	site := newSite(t)
	site.Address = func(s *workload.Service, _ int32) string { return s.Name + ".test:1" }
	payments := newPod(t, plan, "payments-svc", site).Containers[0]
	wantVariables(t, payments, map[string]string{
		"ORDER_SERVICE_URL": "http://orders-svc.test:1", "DATABASE_URL": "sqlite:" + filepath.Join(site.Claims, "api", "payments-svc", "payments-svc.db"),
		"SQLITE_TMPDIR": filepath.Join(site.Claims, "api", "payments-svc"), "GOMEMLIMIT": "224MiB", "PORT": "20001", "DRAIN_DELAY": "0s",
	})
	if payments.ImportPath != "github.com/koshop/koshop/cmd/payments-svc" || payments.Readiness.HTTPGet.Port != 20001 {
		t.Errorf("import path %s, readiness %v", payments.ImportPath, payments.Readiness)
	}
	wantVariables(t, newPod(t, plan, "api-gateway", site).Containers[0], map[string]string{
		"PRODUCTS_SERVICE_URL": "http://product-svc.test:1", "USER_SERVICE_URL": "http://user-svc.test:1",
	})
}

// Its Ingress leads to two Services, and the gateway refers to the other one.
func TestPreview(t *testing.T) {
	plan := overlay(t, "preview", nil)
	if len(plan.Ingresses) != 1 || len(plan.Ingresses[0].Rules) != 2 {
		t.Errorf("Ingresses %+v, want one of two rules", plan.Ingresses)
	}
	if front := plan.Front(); front.Name != "api-gateway" || front.Namespace != "preview" {
		t.Errorf("front %v, want api-gateway of namespace preview", front)
	}
}

func TestStaging(t *testing.T) {
	plan := overlay(t, "staging", nil)
	wantNotes(t, plan,
		"2 HorizontalPodAutoscalers are ignored: nothing measures load here",
		"8 NetworkPolicies are ignored: nothing enforces it here",
		"statefulset.apps/postgres is not run: its image docker.io/library/postgres:15 is not built from Go; if you have one, --service postgres=HOST:PORT")
	if front := plan.Front(); front.Name != "api-gateway" {
		t.Errorf("front %v, want api-gateway", front)
	}
	payments := find(t, plan, "payments-svc")
	if payments.Replicas != 2 {
		t.Errorf("%d replicas, want 2", payments.Replicas)
	}
	t.Setenv("PGPASSWORD", "")
	if _, err := podOf(plan, payments, newSite(t)); err != nil {
		t.Error(err)
	}
	site := newSite(t)
	site.Redirect = map[string]string{"postgres": "127.0.0.1:5499"}
	plan = overlay(t, "staging", map[string]string{"PGPASSWORD": "hush"})
	wantVariables(t, newPod(t, plan, "payments-svc", site).Containers[0], map[string]string{
		"DATABASE_URL": "postgres://shop@127.0.0.1:5499/shop?sslmode=disable", "PGPASSWORD": "hush",
		"ORDER_SERVICE_URL": "http://127.0.0.1:30080",
	})
}

// TestWorkshop runs the exercise with nothing but orders-svc to find.
func TestWorkshop(t *testing.T) {
	plan := overlay(t, "workshop", nil)
	if err := plan.Only([]string{"payments-svc"}); err != nil {
		t.Fatal(err)
	}
	if payments := find(t, plan, "payments-svc"); payments.Replicas != 1 {
		t.Errorf("%d replicas, want 1", payments.Replicas)
	}
	starter := newPod(t, plan, "payments-svc", newSite(t)).Containers[0]
	if starter.ImportPath != "github.com/koshop/koshop/cmd/payments-starter" {
		t.Errorf("import path %s", starter.ImportPath)
	}
	wantVariables(t, starter, map[string]string{
		"ORDER_SERVICE_URL": "http://orders-svc", "GOMEMLIMIT": "224MiB", "PORT": "20001",
		"DATABASE_URL": "-", "PGPASSWORD": "-",
	})
}

func TestOneWorkloadLeavesTheOthersToTheNetwork(t *testing.T) {
	plan := overlay(t, "staging", map[string]string{"PGPASSWORD": "hush", "ORDER_SERVICE_URL": "http://orders-svc.api", "PORT": "8080"})
	if err := plan.Only([]string{"payments-svc"}); err != nil {
		t.Fatal(err)
	}
	site := newSite(t)
	c := newPod(t, plan, "payments-svc", site).Containers[0]
	wantVariables(t, c, map[string]string{
		"DATABASE_URL": "postgres://shop@postgres/shop?sslmode=disable", "ORDER_SERVICE_URL": "http://orders-svc.api", "PORT": "20001",
	})
	if front := plan.Front(); front.Name != "payments-svc" || !slices.Equal(front.Backends, plan.Workloads) || !strings.HasSuffix(c.Dir, "root") {
		t.Errorf("front %v, directory %s", front, c.Dir)
	}
}
