//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/shop/shoptest"
)

// A class begins with a shop in which an order can be paid twice. The one pod
// of payments-svc leaves a drained node when it is told to.
func TestWorkshopBeginsWithTheFlaw(t *testing.T) {
	c := connect(t)
	namespace := "e2e-workshop"
	c.claimNamespace(t, namespace)
	dir := overlayIn(t, "kustomize/overlays/workshop", namespace, "")
	digests := published(mustKo(t, onCluster("apply", "-k", dir, "--wait")...).stderr)
	for _, service := range services {
		if service == "payments-svc" {
			c.runsPublished(t, namespace, service, 1, digests["payments-starter"])
		} else {
			c.runsPublished(t, namespace, service, 2, digests[service])
		}
	}
	c.passes(t, namespace, "deploy")
	c.look(t, namespace, "duplicate").failsAt(t, "pay again", "the order is paid twice", "cmd/payments-starter/main.go")

	t.Run("collection", func(t *testing.T) {
		needNpx(t)
		c.collectionPasses(t, namespace, "accepted")
	})

	pods, err := c.readyPods(t.Context(), namespace, "payments-svc", 1)
	if err != nil {
		t.Fatal(err)
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pods[0].Name, Namespace: namespace}}
	if err := c.CoreV1().Pods(namespace).EvictV1(t.Context(), eviction); err != nil {
		t.Errorf("a drain would wait: %v", err)
	}
	mustKo(t, onCluster("delete", "-k", dir)...)
	c.namespaceGone(t, namespace)
}

// An attendee runs the one service of the overlay, and mends it by saving the
// solution.
func TestExerciseOnALaptop(t *testing.T) {
	resolveLocalhost()
	orders := runUp(t, repository, t.TempDir(), "kustomize/overlays/dev", "orders-svc")
	orders.answers(t, "orders-svc", "/readyz", http.StatusOK)
	checkout := clone(t)
	payments := runUp(t, checkout, t.TempDir(), "kustomize/overlays/workshop", "payments-svc",
		fmt.Sprintf("--service=orders-svc=127.0.0.1:%d", orders.port))
	payments.answers(t, "payments-svc", "/readyz", http.StatusOK)

	order := shoptest.Do(t, "POST", orders.url("orders-svc")+"/orders", "", `{"user_id": "ada", "product_ids": ["6E92ZMYYFZ"]}`).Want(t, 200).Member(t, "id")
	pay := func() shoptest.Answer {
		// Where `telepresence intercept --port 8080` would look for it.
		url := fmt.Sprintf("http://localhost:%d/payments", payments.port)
		return shoptest.Do(t, "POST", url, "", fmt.Sprintf(`{"user_id": "ada", "order_id": %q, "amount": 8.99}`, order))
	}
	pay().Want(t, 200)
	pay().Want(t, 200)
	solution, err := os.ReadFile(filepath.Join(checkout, "internal/workshop/exercise/solution/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(checkout, "cmd/payments-starter"), "main.go", string(solution))
	eventually(t, "the saved solution refuses the payment", func(context.Context) error {
		if answer := pay(); answer.Status != http.StatusForbidden {
			return fmt.Errorf("it answers %d: %s", answer.Status, answer.Body)
		}
		return nil
	})
	pay().WantDetail(t, 403, "Already Paid")
}
