package kube_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// recorder is a cluster that keeps which objects were asked for.
type recorder struct {
	*kube.Cluster
	mu   sync.Mutex
	sent []string
}

// newRecorder returns a cluster that has objects, and whose lists end in an error, which
// may be nil.
func newRecorder(listError error, objects ...kube.Object) *recorder {
	r := &recorder{}
	there := make([]client.Object, len(objects))
	for i, o := range objects {
		there[i] = o.DeepCopy()
	}
	note := func(request string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent = append(r.sent, request)
	}
	c := fake.NewClientBuilder().WithRESTMapper(kube.BuiltIn()).WithObjects(there...).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			note("get " + key.String())
			return w.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			options := (&client.ListOptions{}).ApplyOptions(opts)
			selector := ""
			if options.LabelSelector != nil {
				selector = options.LabelSelector.String()
			}
			note(fmt.Sprintf("list %s in %s, labels %q, limit %d", list.GetObjectKind().GroupVersionKind().Kind, options.Namespace, selector, options.Limit))
			if listError != nil {
				return listError
			}
			return w.List(ctx, list, opts...)
		},
	}).Build()
	r.Cluster = &kube.Cluster{WithWatch: c, Config: &rest.Config{Host: "https://fake.example.com"}, Namespace: "default"}
	return r
}

// object returns one of a kind, with labels such as app=web.
func object(t *testing.T, kind, name string, labels ...string) kube.Object {
	t.Helper()
	version := map[string]string{"Deployment": "apps/v1", "ClusterRole": "rbac.authorization.k8s.io/v1", "Thing": "example.com/v1"}[kind]
	if version == "" {
		version = "v1"
	}
	objects, err := kube.Decode([]byte(fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}}", version, kind, name)))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "ClusterRole" {
		objects[0].SetNamespace("api")
	}
	set := map[string]string{}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		set[key] = value
	}
	if len(set) > 0 {
		objects[0].SetLabels(set)
	}
	return objects[0]
}

// What several objects are read by depends on how much else a list could read.
func TestObjectsAreReadByLists(t *testing.T) {
	deployment := func(name string, labels ...string) kube.Object { return object(t, "Deployment", name, labels...) }
	secret := func(name string, labels ...string) kube.Object { return object(t, "Secret", name, labels...) }
	things := schema.GroupResource{Resource: "things"}
	all := `list DeploymentList in api, labels "", limit 8`
	for name, test := range map[string]struct {
		there, wanted []kube.Object
		listError     error
		missing       []string
		sent          []string
	}{
		"one":                         {there: []kube.Object{deployment("a")}, wanted: []kube.Object{deployment("a")}, sent: []string{"get api/a"}},
		"two of a kind":               {there: []kube.Object{deployment("a"), deployment("b")}, wanted: []kube.Object{deployment("b"), deployment("a")}, sent: []string{all}},
		"one that is not there":       {there: []kube.Object{deployment("a")}, wanted: []kube.Object{deployment("a"), deployment("b")}, missing: []string{"b"}, sent: []string{all}},
		"labels that all have":        {there: []kube.Object{deployment("a", "of=shop", "app=a"), deployment("b", "of=shop")}, wanted: []kube.Object{deployment("a", "of=shop", "app=a"), deployment("b", "of=shop", "app=b")}, sent: []string{`list DeploymentList in api, labels "of=shop", limit 8`}},
		"labels that are new":         {there: []kube.Object{deployment("a", "of=shop"), deployment("b")}, wanted: []kube.Object{deployment("a", "of=shop"), deployment("b", "of=shop")}, sent: []string{"get api/b", `list DeploymentList in api, labels "of=shop", limit 8`}},
		"Secrets":                     {there: []kube.Object{secret("a"), secret("b")}, wanted: []kube.Object{secret("a"), secret("b")}, sent: []string{"get api/a", "get api/b"}},
		"Secrets with a label":        {there: []kube.Object{secret("a", "of=shop"), secret("b", "of=shop")}, wanted: []kube.Object{secret("a", "of=shop"), secret("b", "of=shop")}, sent: []string{`list SecretList in api, labels "of=shop", limit 8`}},
		"in no namespace":             {there: []kube.Object{object(t, "ClusterRole", "a")}, wanted: []kube.Object{object(t, "ClusterRole", "a"), object(t, "ClusterRole", "b")}, missing: []string{"b"}, sent: []string{"get /a", "get /b"}},
		"who may not list":            {there: []kube.Object{deployment("a"), deployment("b")}, wanted: []kube.Object{deployment("a"), deployment("b")}, listError: apierrors.NewForbidden(things, "", errors.New("no")), sent: []string{"get api/a", "get api/b", all}},
		"a kind that is not listed":   {there: []kube.Object{deployment("a"), deployment("b")}, wanted: []kube.Object{deployment("a"), deployment("b")}, listError: apierrors.NewMethodNotSupported(things, "list"), sent: []string{"get api/a", "get api/b", all}},
		"a kind that is not known":    {wanted: []kube.Object{object(t, "Thing", "a"), object(t, "Thing", "b")}, missing: []string{"a", "b"}, sent: []string{`list ThingList in api, labels "", limit 8`}},
		"another kind and two of one": {there: []kube.Object{deployment("a"), deployment("b"), secret("c")}, wanted: []kube.Object{deployment("a"), secret("c"), deployment("b")}, sent: []string{"get api/c", all}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newRecorder(test.listError, test.there...)
			live, err := c.LiveAll(t.Context(), test.wanted)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range test.wanted {
				absent := slices.Contains(test.missing, o.GetName())
				if (live[i] == nil) != absent || !absent && kube.NameIn(live[i]) != kube.NameIn(o) {
					t.Errorf("%s is %v, and absent should be %v", kube.NameIn(o), live[i], absent)
				}
			}
			slices.Sort(c.sent)
			if !slices.Equal(c.sent, test.sent) {
				t.Errorf("sent were\n%q, want\n%q", c.sent, test.sent)
			}
		})
	}
}

// An API server that does not answer is not asked again for each object.
func TestNoAnswerToAList(t *testing.T) {
	silent := errors.New("connection refused")
	c := newRecorder(silent)
	_, err := c.LiveAll(t.Context(), []kube.Object{object(t, "Deployment", "a"), object(t, "Deployment", "b")})
	if !errors.Is(err, silent) || !strings.Contains(err.Error(), "asking https://fake.example.com for objects of kind Deployment") || len(c.sent) != 1 {
		t.Errorf("error %v after %q", err, c.sent)
	}
}

// Who is known not to be allowed to list does not try.
func TestObjectsAreReadEach(t *testing.T) {
	c := newRecorder(nil, object(t, "Deployment", "a"))
	live, err := c.LiveEach(t.Context(), []kube.Object{object(t, "Deployment", "a"), object(t, "Deployment", "b")})
	slices.Sort(c.sent)
	if err != nil || live[0] == nil || live[1] != nil || !slices.Equal(c.sent, []string{"get api/a", "get api/b"}) {
		t.Errorf("%v, error %v, after %q", live, err, c.sent)
	}
}
