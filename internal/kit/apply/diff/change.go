package diff

import (
	"bytes"
	"fmt"
	"strings"

	anchored "github.com/rogpeppe/go-internal/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Change is what applying would change of one object. As JSON it is one entry of what
// [Result.JSON] writes. Fields may be added; those that are there keep their names and
// meanings.
type Change struct {
	// Object says which object it is.
	Object Object `json:"object"`
	// Outcome is what would become of the object.
	Outcome Outcome `json:"change"`
	// Fields are the values that differ, if the object is there and would be. It is empty
	// if the object would be created or pruned: then all of it differs.
	Fields []Field `json:"fields"`
	// Reasons say why the images were built that the object would have from then on. It
	// is empty unless the object is there and would be.
	Reasons []Reason `json:"reasons"`
	// Diff is the unified diff of the object's YAML, without colours; "" if it is
	// unchanged.
	Diff string `json:"diff"`
}

// Object identifies an object.
type Object struct {
	APIVersion string `json:"apiVersion"` // such as apps/v1
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"` // "" if the object is in none
	Name       string `json:"name"`
}

// String is what people call the object: job/migrate in api.
func (o Object) String() string {
	name := strings.ToLower(o.Kind) + "/" + o.Name
	if o.Namespace != "" {
		name += " in " + o.Namespace
	}
	return name
}

// Outcome is what would become of an object.
type Outcome string

// What would become of objects.
const (
	Created   Outcome = "created"   // it is not in the cluster
	Changed   Outcome = "changed"   // it is there, and would not be the same
	Replaced  Outcome = "replaced"  // it is there, and would be deleted and made anew
	Unchanged Outcome = "unchanged" // it is there, and would be the same
	Pruned    Outcome = "pruned"    // it is there, and would be deleted
)

// Field is a value of an object that would be another one.
type Field struct {
	// Path says where the value is, as [plan.Compare] writes it.
	Path string `json:"path"`
	// Before is the value in the cluster, After the one that it would have. It is
	// missing where there is none.
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// change compares the states of an object.
func (p Pair) change(reasons Reasons) (Change, error) {
	live, merged := p.states()
	o := p.object()
	c := Change{
		Object:  Object{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()},
		Fields:  []Field{},
		Reasons: []Reason{},
	}
	var err error
	if c.Diff, err = unified(o, live, merged); err != nil {
		return c, err
	}
	switch {
	case live == nil:
		c.Outcome = Created
	case merged == nil:
		c.Outcome = Pruned
	case c.Diff == "" && !p.Replaced:
		c.Outcome = Unchanged
	default:
		c.Outcome = Changed
		if p.Replaced {
			c.Outcome = Replaced
		}
		plan.Compare(live, merged, func(path string, before, after any) {
			c.Fields = append(c.Fields, Field{Path: path, Before: before, After: after})
		})
		c.Reasons = reasons.of(c.Fields)
	}
	return c, nil
}

// states returns copies of both states as they may be shown; nil for one that is missing.
func (p Pair) states() (live, merged map[string]any) {
	live, merged = p.shown(p.Live), p.shown(p.Merged)
	if p.object().GetKind() == "Secret" { // In whichever group: kubectl asks for the version v1 only.
		maskSecret(live, merged)
	}
	return live, merged
}

// shown returns a copy of a state without the fields that are left out.
func (p Pair) shown(state kube.Object) map[string]any {
	if state == nil {
		return nil
	}
	copied := state.DeepCopy().Object
	for _, name := range p.leftOut() {
		unstructured.RemoveNestedField(copied, "metadata", name)
	}
	return copied
}

// leftOut are the fields of the metadata that only the API server sets and that say
// nothing of what the manifests change. kubectl leaves out managedFields only.
func (p Pair) leftOut() []string {
	names := []string{"managedFields", "resourceVersion", "generation"}
	if p.Live == nil {
		names = append(names, "uid", "creationTimestamp") // The dry run makes them up.
	}
	return names
}

// unified returns the diff of two states of an object, or "" if they are the same. Its
// headers are those of `kubectl diff`, without times and without the part of the
// directories' names that is another each time.
func unified(o kube.Object, live, merged map[string]any) (string, error) {
	before, err := text(live)
	if err != nil {
		return "", err
	}
	after, err := text(merged)
	if err != nil {
		return "", err
	}
	from, to := "LIVE/"+fileName(o), "MERGED/"+fileName(o)
	_, lines, differ := bytes.Cut(anchored.Diff(from, before, to, after), []byte("\n"))
	if !differ {
		return "", nil
	}
	return fmt.Sprintf("diff -u -N %s %s\n%s", from, to, lines), nil
}

// fileName is how kubectl calls the file of an object: apps.v1.Deployment.api.user-svc.
func fileName(o kube.Object) string {
	kind := o.GroupVersionKind()
	name := strings.Join([]string{kind.Version, kind.Kind, o.GetNamespace(), o.GetName()}, ".")
	if kind.Group != "" {
		name = kind.Group + "." + name
	}
	return name
}
