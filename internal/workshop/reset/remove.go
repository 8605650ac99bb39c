package reset

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/cluster"
)

const (
	pollEvery = 200 * time.Millisecond
	patience  = 5 * time.Minute
)

// Remove carries out a plan, and returns when all is gone. It tells of each thing
// when it is.
func Remove(ctx context.Context, c *cluster.Cluster, plan Plan, tell func(string)) error {
	for _, name := range plan.Intercepts { // While the pods that they end in are there.
		if err := telepresence.Leave(ctx, name); err != nil {
			return err
		}
		tell("intercept " + name + " left")
	}
	for _, right := range plan.Rights {
		if err := right.remove(ctx, right.name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("removing %s: %w", right, err)
		}
		tell(right.String() + " deleted")
	}
	for _, name := range plan.Namespaces {
		err := c.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("deleting namespace %s: %w", name, err)
		}
	}
	for _, name := range plan.Namespaces {
		if err := gone(ctx, c, name); err != nil {
			return err
		}
		tell("namespace " + name + " deleted")
	}
	return nil
}

func gone(ctx context.Context, c *cluster.Cluster, namespace string) error {
	err := wait.PollUntilContextTimeout(ctx, pollEvery, patience, true, func(ctx context.Context) (bool, error) {
		_, err := c.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return fmt.Errorf("waiting for namespace %s to be gone: %w; see kubectl describe namespace %s", namespace, err, namespace)
	}
	return nil
}
