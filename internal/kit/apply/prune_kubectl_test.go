//go:build apiserver

package apply_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// What ko writes of a set is what the real kubectl writes, but for who manages it.
func TestASetIsAsKubectlWritesIt(t *testing.T) {
	t.Setenv("KUBECTL_APPLYSET", "true")
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	manifests := []string{settings, front, idle}
	text := strings.ReplaceAll(strings.Join(manifests, "\n---\n"), "NS", ns)
	apitest.Kubectl(t, text, "apply", "--namespace="+ns, "--prune", "--applyset=configmap/shop", "-f", "-")
	objects := append(decode(t, ns, manifests...), record(shopSet, ns))
	want := marks(t, c, objects)
	for _, o := range objects {
		if err := c.Delete(t.Context(), o.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
	mustApply(t, c, pruning(shopSet), decode(t, ns, manifests...)...)
	for name, got := range marks(t, c, objects) {
		if got[applyset.ToolingAnnotation] != "" {
			if got[applyset.ToolingAnnotation] != "ko/v1.2.3" || !strings.HasPrefix(want[name][applyset.ToolingAnnotation], "kubectl/v") {
				t.Errorf("%s is managed by %q, and by %q", name, got, want[name])
			}
			got[applyset.ToolingAnnotation] = want[name][applyset.ToolingAnnotation]
		}
		if len(got) == 0 || !maps.Equal(got, want[name]) {
			t.Errorf("%s has %q; kubectl writes %q", name, got, want[name])
		}
	}
}

// marks returns the labels and annotations of the convention that objects have.
func marks(t *testing.T, c *kube.Cluster, objects []kube.Object) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for _, o := range objects {
		live, err := c.Live(t.Context(), o)
		if err != nil || live == nil {
			t.Fatalf("error %v, %s is %v", err, kube.NameIn(o), live)
		}
		of := map[string]string{}
		for _, values := range []map[string]string{live.GetLabels(), live.GetAnnotations()} {
			for name, value := range values {
				if strings.HasPrefix(name, "applyset.kubernetes.io/") {
					of[name] = value
				}
			}
		}
		all[kube.NameIn(o)] = of
	}
	return all
}

// kubectl leaves a set of ko alone, and can go on with it if somebody says so. The same
// is true the other way round.
func TestKubectlReadsTheSet(t *testing.T) {
	t.Setenv("KUBECTL_APPLYSET", "true")
	c := apitest.Cluster(t)
	ns := newNamespace(t, c)
	foreign := plain(t, ns, "foreign")
	by(t, c, "helm", foreign)
	mustApply(t, c, pruning(shopSet), decode(t, ns, settings, front, idle)...)
	args := []string{"apply", "--namespace=" + ns, "--server-side", "--force-conflicts", "--prune", "--applyset=configmap/shop", "-f", "-"}
	text := strings.ReplaceAll(settings, "NS", ns)
	out, err := apitest.TryKubectl(text, args...)
	if err == nil || !strings.Contains(out, `is managed by tooling "ko" instead of "kubectl"`) {
		t.Errorf("kubectl: error %v\n%s", err, out)
	}
	wantThere(t, c, true, decode(t, ns, settings, front, idle)...)

	apitest.Kubectl(t, "", "annotate", "--namespace="+ns, "--overwrite", "configmap/shop", applyset.ToolingAnnotation+"=kubectl/v1.34.0")
	r := applyWith(t.Context(), c, pruning(shopSet), decode(t, ns, settings)...)
	wantError(t, r.err, "keeps the record of a set that kubectl manages", "nothing was changed")
	out, err = apitest.TryKubectl(text, args...)
	if err != nil || !strings.Contains(out, "deployment.apps/web pruned") || !strings.Contains(out, "service/web pruned") {
		t.Errorf("kubectl: error %v\n%s", err, out)
	}
	wantThere(t, c, true, append(decode(t, ns, settings), foreign)...)
	wantThere(t, c, false, decode(t, ns, front, idle)...)
}
