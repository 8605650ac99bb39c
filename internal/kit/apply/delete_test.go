package apply_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// An object that somebody's finalizer holds is named, and so is the finalizer.
func TestDeleteOfWhatIsHeld(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	held := decode(t, ns, strings.ReplaceAll(settings, "namespace: NS", "namespace: NS, finalizers: [example.com/hold]"))[0]
	other := decode(t, ns, strings.ReplaceAll(settings, "settings", "other"))[0]
	for _, o := range []kube.Object{held, other} {
		if err := c.Create(t.Context(), o.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	opts := apply.DeleteOptions{Wait: true, Timeout: 5 * time.Second}
	err := apply.Delete(t.Context(), c, []kube.Object{held.DeepCopy(), other}, opts, progress.New(io.Discard), event.JSON(&out))
	wantError(t, err, "configmap/settings in namespace "+ns+" is still there, held by its finalizer example.com/hold: 5s have passed")
	if err != nil && strings.Contains(err.Error(), "other") {
		t.Errorf("it speaks of what has gone: %v", err)
	}
	wantEvents(t, out.String(), "object configmap/settings deleted", "object configmap/other deleted", "wait configmap/other gone")

	live, err := c.Live(t.Context(), held)
	if err != nil {
		t.Fatal(err)
	}
	live.SetFinalizers(nil)
	if err := c.Update(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the object to go", func() (bool, error) {
		live, err := c.Live(t.Context(), held)
		return live == nil, err
	})
}

// wantEvents compares lines of JSON, in any order.
func wantEvents(t *testing.T, lines string, wants ...string) {
	t.Helper()
	got := map[string]bool{}
	for line := range strings.Lines(lines) {
		var e event.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time.IsZero() {
			t.Errorf("error %v, event %s", err, line)
		}
		got[strings.Join(strings.Fields(e.Event+" "+e.Object+" "+e.Action+" "+e.State), " ")] = true
	}
	for _, want := range wants {
		if !got[want] {
			t.Errorf("there is no event %q in\n%s", want, lines)
		}
	}
}
