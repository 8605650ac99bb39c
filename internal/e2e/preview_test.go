//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

const preview = "kustomize/overlays/preview"

// Two branches are previewed side by side, from one tree in which nothing
// changes: each has hosts, customers, orders and keys of its own, and goes by itself.
func TestPreviewsSideBySide(t *testing.T) {
	c := connect(t)
	branches := []string{"e2e-preview-one", "e2e-preview-two"}
	shops := map[string]flow.Shop{}
	receipts := map[string]flow.Receipt{}
	email := uuid.NewString() + "@example.com" // No shop takes an address twice.
	for _, namespace := range branches {
		c.claimNamespace(t, namespace)
		mustKo(t, onCluster("apply", "-k", preview, "--namespace", namespace, "--wait")...)
		c.leadsIn(t, namespace)
		shops[namespace] = c.forwardShop(t, namespace)
		receipt, err := shops[namespace].Walk(t.Context(), email)
		if err != nil {
			t.Fatalf("%s: %v\n%s", namespace, err, c.shopLogs(t, namespace))
		}
		receipts[namespace] = receipt
		c.walkInside(t, namespace)
	}
	for _, step := range c.look(t, "api", "preview").Steps {
		want := report.Passed
		if step.Name == "way in" {
			want = report.Warned // Nothing leads below example.com.
		}
		if step.Status != want {
			t.Errorf("%s %s: %s\n→ %s", step.Name, step.Status, step.Saw, step.Next)
		}
	}
	one, two := branches[0], branches[1]
	if err := shops[two].Check(t.Context(), receipts[one]); err == nil || !strings.Contains(err.Error(), "status 401") {
		t.Errorf("a token of %s in %s: error %v, want status 401", one, two, err)
	}
	again := mustKo(t, onCluster("apply", "-k", preview, "-n", one, "--selector", "app.kubernetes.io/name=payments-svc")...)
	if want := "service/payments-svc unchanged\ndeployment.apps/payments-svc unchanged\nnetworkpolicy.networking.k8s.io/payments-svc unchanged\npersistentvolumeclaim/payments-svc unchanged\n"; again.stdout != want {
		t.Errorf("one service applied again: %q, want %q", again.stdout, want)
	}

	mustKo(t, onCluster("delete", "-k", preview, "--namespace", one)...)
	c.namespaceGone(t, one)
	if err := shops[two].Check(t.Context(), receipts[two]); err != nil {
		t.Errorf("%s after %s is gone: %v", two, one, err)
	}
	mustKo(t, append(onCluster("delete", "-k", preview), "--", "-n", two)...)
	c.namespaceGone(t, two)
}

// leadsIn looks at the way in, as an ingress controller would: the API server has
// taken the Ingress, and each backend answers through its Service's named port.
func (c *cluster) leadsIn(t *testing.T, namespace string) {
	t.Helper()
	ingress, err := c.NetworkingV1().Ingresses(namespace).Get(t.Context(), "preview", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, rule := range ingress.Spec.Rules {
		to := rule.HTTP.Paths[0].Backend.Service
		got[rule.Host] = to.Name
		if _, err := c.CoreV1().Services(namespace).ProxyGet("http", to.Name, to.Port.Name, "/readyz", nil).DoRaw(t.Context()); err != nil {
			t.Errorf("host %s: %v", rule.Host, err)
		}
	}
	want := map[string]string{
		namespace + ".preview.example.com":               "api-gateway",
		"user-svc-" + namespace + ".preview.example.com": "user-svc",
	}
	if !maps.Equal(got, want) {
		t.Errorf("hosts %v, want %v", got, want)
	}
}
