package applyset

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kube"
)

var shop = Set{Namespace: "api", Name: "shop", Version: "v0.19.1"}

// The ids of Secret my-set, Secret simple and ApplySet my-set stand in kubectl's own
// tests: apply_test.go, testdata/prune/simple and testdata/apply/applyset-cr.yaml. The
// last one was computed with sha256sum and basenc.
func TestID(t *testing.T) {
	for want, parent := range map[string]struct {
		kind            schema.GroupKind
		namespace, name string
	}{
		"applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1": {schema.GroupKind{Kind: "Secret"}, "test", "my-set"},
		"applyset-bjd1LnyQq0mtUu-riZCqjDQOmh0iNb9O2RcuT12WR0k-v1": {schema.GroupKind{Kind: "Secret"}, "test", "simple"},
		"applyset-rhp1a-HVAVT_dFgyEygyA1BEB82HPp2o10UiFTpqtAs-v1": {schema.GroupKind{Group: "company.com", Kind: "ApplySet"}, "", "my-set"},
		"applyset-dGdPyqWBC2fctVLHEJuZnFTZw52yZA9EJdaJb5OrfTc-v1": {ParentKind, "api", "shop"},
	} {
		if got := ID(parent.kind, parent.namespace, parent.name); got != want {
			t.Errorf("the id of %s %s is %s, want %s", parent.kind, parent.name, got, want)
		}
	}
}

// The parent has the form that kubectl gives its own.
func TestObject(t *testing.T) {
	objects := decode(t, "v1 Service api/web", "apps/v1 Deployment api/web", "v1 Namespace api", "v1 ConfigMap monitoring/rules", "v1 ConfigMap a/rules", "example.com/v1 Web api/web")
	for name, test := range map[string]struct {
		set  Set
		of   []kube.Object
		want string
	}{
		"several kinds and namespaces": {shop, objects, `
    applyset.kubernetes.io/additional-namespaces: a,monitoring
    applyset.kubernetes.io/contains-group-kinds: ConfigMap,Deployment.apps,Namespace,Service,Web.example.com
    applyset.kubernetes.io/tooling: ko/v0.19.1
`},
		"its own namespace only": {shop, objects[:1], `
    applyset.kubernetes.io/additional-namespaces: ""
    applyset.kubernetes.io/contains-group-kinds: Service
    applyset.kubernetes.io/tooling: ko/v0.19.1
`},
		"nothing, of a version with a slash": {Set{Namespace: "api", Name: "shop", Version: "v1/x"}, nil, `
    applyset.kubernetes.io/additional-namespaces: ""
    applyset.kubernetes.io/contains-group-kinds: ""
    applyset.kubernetes.io/tooling: ko/v1-x
`},
		"of no version": {Set{Namespace: "api", Name: "shop"}, nil, `
    applyset.kubernetes.io/additional-namespaces: ""
    applyset.kubernetes.io/contains-group-kinds: ""
    applyset.kubernetes.io/tooling: ko/v0.0.0
`},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.set.Object(Of(test.of))
			got, err := yaml.Marshal(o.Object)
			want := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:" + test.want + "  labels:\n    applyset.kubernetes.io/id: " + test.set.ID() + "\n  name: shop\n  namespace: api\n"
			if err != nil || string(got) != want {
				t.Errorf("error %v, got\n%swant\n%s", err, got, want)
			}
			if p, err := test.set.parent(o); err != nil || !p.Listed.Kinds.Equal(Of(test.of).Kinds) {
				t.Errorf("reading it again: %v, error %v", p, err)
			}
		})
	}
}

func TestLabel(t *testing.T) {
	labelled := func(id string) kube.Object { return with(decode(t, "v1 Service api/other")[0], PartOfLabel, id) }
	for name, test := range map[string]struct {
		other kube.Object
		want  []string // parts of the error; empty if there must be no error
	}{
		"without a label":        {decode(t, "v1 Service api/other")[0], nil},
		"part of this set":       {labelled(shop.ID()), nil},
		"part of another set":    {labelled("applyset-x-v1"), []string{"service/other in namespace api is part of another set", `"applyset-x-v1"`, "configmap/shop in namespace api", "remove the label"}},
		"with an empty label":    {labelled(""), []string{`its label applyset.kubernetes.io/part-of is ""`}},
		"the parent":             {decode(t, "v1 ConfigMap api/shop")[0], []string{"configmap/shop in namespace api has the name", "rename"}},
		"like it, but elsewhere": {decode(t, "v1 ConfigMap b/shop")[0], nil},
	} {
		t.Run(name, func(t *testing.T) {
			first := with(decode(t, "v1 Service api/web")[0], "app", "web")
			err := shop.Label([]kube.Object{first, test.other})
			wantError(t, err, test.want...)
			if got := first.GetLabels()[PartOfLabel]; (got == shop.ID()) != (err == nil) {
				t.Errorf("error %v, and the label of another object is %q", err, got)
			}
			if err == nil && test.other.GetLabels()[PartOfLabel] != shop.ID() || first.GetLabels()["app"] != "web" {
				t.Errorf("labels %v and %v", first.GetLabels(), test.other.GetLabels())
			}
		})
	}
}

// What the cluster has of the objects may be another set's, or not there.
func TestCheck(t *testing.T) {
	foreign := with(decode(t, "v1 Service api/web")[0], PartOfLabel, "applyset-x-v1")
	other := with(decode(t, "v1 Service api/db")[0], PartOfLabel, "applyset-y-v1")
	wantError(t, shop.Check([]kube.Object{nil, foreign, other}), "service/web", "service/db")
	wantError(t, shop.Check([]kube.Object{nil, with(foreign.DeepCopy(), PartOfLabel, shop.ID())}))
}

// decode returns objects written as "apps/v1 Deployment NAMESPACE/NAME".
func decode(t *testing.T, texts ...string) []kube.Object {
	t.Helper()
	var stream strings.Builder
	for _, text := range texts {
		fields := strings.Fields(text)
		namespace, name, found := strings.Cut(fields[2], "/")
		if !found {
			namespace, name = "", fields[2]
		}
		stream.WriteString("apiVersion: " + fields[0] + "\nkind: " + fields[1] + "\nmetadata: {name: " + name)
		if namespace != "" {
			stream.WriteString(", namespace: " + namespace)
		}
		stream.WriteString("}\n---\n")
	}
	objects, err := kube.Decode([]byte(stream.String()))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// with gives an object a label.
func with(o kube.Object, label, value string) kube.Object {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[label] = value
	o.SetLabels(labels)
	return o
}

// wantError compares an error with its parts, or with none.
func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	if len(wants) == 0 && err != nil {
		t.Error(err)
	}
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
