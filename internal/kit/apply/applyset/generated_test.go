package applyset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kube"
)

// generators have values of every form: none, text of several lines, what YAML would
// take for a number, binary ones, and long ones, whose base64 kustomize breaks.
const generators = `
namePrefix: dev-
namespace: api
configMapGenerator:
- name: settings
  literals: ["color=blue", "size=1", "none="]
- name: empty
- name: files
  files: [lines, long, binary]
- name: fixed
  options: {disableNameSuffixHash: true}
  literals: ["color=blue"]
secretGenerator:
- name: password
  literals: ["password=secret"]
- name: none
- name: key
  type: example.com/key
  files: [lines, long, binary]
generatorOptions: {labels: {app: shop}, immutable: true}
`

// render returns the objects of a kustomization as the API server keeps them.
func rendered(t *testing.T) []kube.Object {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"kustomization.yaml": generators, "lines": "a\n  b\n\n", "long": strings.Repeat("0123456789", 40), "binary": "\xff\x00" + strings.Repeat("\xfe", 99),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := render.Kustomization(dir, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := kube.Decode(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		var typed any = &corev1.ConfigMap{}
		if o.GetKind() == "Secret" {
			typed = &corev1.Secret{}
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
			t.Fatal(err)
		}
		if o.Object, err = runtime.DefaultUnstructuredConverter.ToUnstructured(typed); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

// The hash that kustomize has put behind a name comes out of what the API server keeps,
// and out of nothing else.
func TestContentHash(t *testing.T) {
	found := map[string]bool{}
	for _, o := range rendered(t) {
		generator, hash := splitHash(o.GetName())
		if o.GetName() == "dev-fixed" {
			if generator != "" {
				t.Errorf("%s has hash %s", o.GetName(), hash)
			}
			continue
		}
		found[generator] = true
		if got, err := contentHash(o); err != nil || got != hash {
			t.Errorf("%s: error %v, hash %s", kube.Name(o), err, got)
		}
		if err := unstructured.SetNestedField(o.Object, "Z3JlZW4=", "data", "color"); err != nil {
			t.Fatal(err)
		}
		if got, err := contentHash(o); err != nil || got == hash {
			t.Errorf("%s with another value: error %v, hash %s", kube.Name(o), err, got)
		}
	}
	for _, name := range []string{"settings", "empty", "files", "password", "none", "key"} {
		if !found["dev-"+name] {
			t.Errorf("there is no object of the generator %s", name)
		}
	}
}

func TestContentHashOfOtherForms(t *testing.T) {
	for name, data := range map[string]any{"no map": "text", "no text": map[string]any{"a": int64(1)}, "no base64": map[string]any{"a": "!"}} {
		o := decode(t, "v1 Secret api/a")[0]
		o.Object["data"] = data
		if hash, err := contentHash(o); err == nil {
			t.Errorf("%s: hash %s", name, hash)
		}
	}
}

func TestSplitHash(t *testing.T) {
	for name, want := range map[string]string{
		"api-82td54dbtg": "api", "a.b-c-82td54dbtg": "a.b-c", "api": "", "api-82td54dbt": "", "api-82td54dbtgg": "", "api-82td54dbte": "", "-82td54dbtg": "", "api82td54dbtg": "",
	} {
		if got, _ := splitHash(name); got != want {
			t.Errorf("the generator of %s is %q, want %q", name, got, want)
		}
	}
}
