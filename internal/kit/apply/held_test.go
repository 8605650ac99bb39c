//go:build apiserver

package apply_test

import (
	"io"
	"strings"
	"testing"
	"time"

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
	ns := newNamespace(t, c)
	fixed := strings.ReplaceAll(settings, "namespace: NS", "namespace: NS, finalizers: [example.com/hold]") + "\nimmutable: true"
	old := decode(t, ns, fixed)[0]
	if _, err := send(t, c, plan.Options{}, old.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	opts := apply.Options{Options: plan.Options{Replace: true}, Timeout: time.Second}
	err := apply.Send(t.Context(), c, decode(t, ns, strings.ReplaceAll(fixed, "blue", "red")), opts, progress.New(io.Discard), func(event.Event) {})
	wantError(t, err, "configmap/settings in namespace "+ns+" is not as it was: it is being deleted, held by its finalizer example.com/hold")
	if err != nil && strings.Contains(err.Error(), "the cluster is as it was") {
		t.Errorf("it says that nothing has changed: %v", err)
	}
	letGo(t, c, old)
}

// One that goes while the replacing is undone is made again.
func TestUndoOfAReplaceUnderWay(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	fixed := strings.ReplaceAll(settings, "namespace: NS", "namespace: NS, finalizers: [example.com/hold]") + "\nimmutable: true"
	old := decode(t, ns, fixed)[0]
	if _, err := send(t, c, plan.Options{}, old.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*time.Second, func() { letGo(t, c, old) })
	opts := apply.Options{Options: plan.Options{Replace: true}, Timeout: 2 * time.Second}
	err := apply.Send(t.Context(), c, decode(t, ns, strings.ReplaceAll(fixed, "blue", "red")), opts, progress.New(io.Discard), func(event.Event) {})
	wantError(t, err, "the cluster is as it was")
	live, liveErr := c.Live(t.Context(), old)
	if liveErr != nil || live == nil || live.GetDeletionTimestamp() != nil || nestedText(live, "data", "color") != "blue" {
		t.Errorf("error %v, there is %v", liveErr, live)
	}
	letGo(t, c, old)
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
