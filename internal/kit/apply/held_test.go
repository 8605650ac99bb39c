//go:build apiserver

package apply_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// An object that somebody's finalizer holds cannot be replaced. That is found out
// within the timeout, and said with the finalizer: it is gone as soon as that is.
func TestReplaceOfWhatIsHeld(t *testing.T) {
	c := newCluster(t)
	old := newHeld(t, c)
	err := replaceHeld(t, c, old, time.Second)
	wantError(t, err, "configmap/settings in namespace "+old.GetNamespace()+" is not as it was: it is being deleted, held by its finalizer example.com/hold")
	if err != nil && strings.Contains(err.Error(), "the cluster is as it was") {
		t.Errorf("it says that nothing has changed: %v", err)
	}
	letGo(t, c, old)
}

// One that goes while the replacing is undone is made again.
func TestUndoOfAReplaceUnderWay(t *testing.T) {
	c := newCluster(t)
	old := newHeld(t, c)
	deleted := make(chan struct{})
	go func() {
		defer close(deleted)
		eventually(t, "the object to be deleted", func() (bool, error) {
			live, err := c.Live(t.Context(), old)
			return live != nil && live.GetDeletionTimestamp() != nil, err
		})
		time.Sleep(3 * time.Second) // Until the replacing has given up, and not the undoing.
		letGo(t, c, old)
	}()
	err := replaceHeld(t, c, old, 2*time.Second)
	<-deleted
	wantError(t, err, "the cluster is as it was")
	live, liveErr := c.Live(t.Context(), old)
	if liveErr != nil || live == nil || live.GetDeletionTimestamp() != nil || nestedText(live, "data", "color") != "blue" {
		t.Errorf("error %v, there is %v", liveErr, live)
	}
	letGo(t, c, old)
}

// newHeld makes an object that cannot be changed, and that a finalizer holds.
func newHeld(t *testing.T, c *kube.Cluster) kube.Object {
	t.Helper()
	held := strings.ReplaceAll(settings, "namespace: NS", "namespace: NS, finalizers: [example.com/hold]") + "\nimmutable: true"
	o := decode(t, newNamespace(t, c), held)[0]
	if _, err := send(t, c, plan.Options{}, o.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	return o
}

// replaceHeld applies another colour with --replace.
func replaceHeld(t *testing.T, c *kube.Cluster, old kube.Object, timeout time.Duration) error {
	t.Helper()
	next := old.DeepCopy()
	if err := unstructured.SetNestedField(next.Object, "red", "data", "color"); err != nil {
		t.Fatal(err)
	}
	opts := apply.Options{Options: plan.Options{Replace: true}, Timeout: timeout}
	return apply.Send(t.Context(), c, []kube.Object{next}, opts, progress.New(io.Discard), func(event.Event) {})
}

// letGo takes the finalizers off an object.
func letGo(t *testing.T, c *kube.Cluster, o kube.Object) {
	t.Helper()
	live, err := c.Live(t.Context(), o)
	if err != nil || live == nil {
		t.Errorf("error %v, there is %v", err, live)
		return
	}
	live.SetFinalizers(nil)
	if err := c.Update(t.Context(), live); err != nil {
		t.Error(err)
	}
}
