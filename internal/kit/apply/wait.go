package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
)

// pollEvery is how often the state of an object is asked for while waiting.
const pollEvery = 200 * time.Millisecond

// establishTimeout bounds how long a new definition may take to be served.
const establishTimeout = 30 * time.Second

// await polls the live object until done says so.
func (c *Cluster) await(ctx context.Context, o object, what string, done func(object) bool) error {
	err := wait.PollUntilContextTimeout(ctx, pollEvery, establishTimeout, true, func(ctx context.Context) (bool, error) {
		live, err := c.live(ctx, o)
		return live != nil && done(live), err
	})
	if err != nil {
		return fmt.Errorf("waiting for %s %s: %w", reference(o), what, err)
	}
	return nil
}

// awaitGone polls until the API server no longer has this very object: a
// controller may make another of the same name at once.
func (c *Cluster) awaitGone(ctx context.Context, o object) error {
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
		live, err := c.live(ctx, o)
		return err == nil && (live == nil || live.GetUID() != o.GetUID()), err
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to be gone: %w", reference(o), err)
	}
	return nil
}

// isAbsent says whether an error means that the object, or its very kind, is
// not in the cluster.
func isAbsent(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) || errors.Is(err, errUnknownKind)
}

func isEstablished(crd object) bool { return hasCondition(crd, "Established") }

func hasCondition(o object, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if ok && fields["type"] == kind && fields["status"] == "True" {
			return true
		}
	}
	return false
}
