//go:build apiserver

package apply_test

import (
	"io"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/progress"
)

// The label of a set is no difference: applying keeps it, and gives it to new objects.
func TestDiffOfASet(t *testing.T) {
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	mustApply(t, c, pruning(shopSet), plain(t, ns, "settings"))
	for _, set := range []applyset.Set{shopSet, {}} {
		result, err := apply.Diff(t.Context(), dryOnly(t, c), decode(t, ns, settings), plainly(set), nil, progress.New(io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		if result.Differs() {
			t.Errorf("with the set %q:\n%s", set.Name, textOf(t, result))
		}
	}
	result, err := apply.Diff(t.Context(), dryOnly(t, c), decode(t, ns, settings+"\n---"+front), plainly(shopSet), nil, progress.New(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	if text := textOf(t, result); !strings.Contains(text, "+    "+applyset.PartOfLabel) {
		t.Errorf("a new object has no label of the set:\n%s", text)
	}
}
