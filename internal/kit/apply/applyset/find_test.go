package applyset

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// What is present is known by its UID or by its name; only without a UID, a name in
// another group may be that of the same object.
func TestPresence(t *testing.T) {
	const web, sameInOtherGroup, other = "networking.k8s.io/v1 Ingress api/web", "extensions/v1beta1 Ingress api/web", "networking.k8s.io/v1 Ingress b/web"
	for name, test := range map[string]struct {
		uid     types.UID // of the present object
		live    string
		liveUID types.UID
		want    bool
	}{
		"itself":                             {"1", web, "1", true},
		"made anew":                          {"1", web, "2", true},
		"in another group":                   {"1", sameInOtherGroup, "1", true},
		"another one in another group":       {"1", sameInOtherGroup, "2", false},
		"in another namespace":               {"1", other, "2", false},
		"as rendered":                        {"", web, "1", true},
		"as rendered, in another group":      {"", sameInOtherGroup, "1", true},
		"as rendered, in another namespace":  {"", other, "1", false},
		"as rendered, one with the same UID": {"", other, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			present, live := decode(t, web)[0], decode(t, test.live)[0]
			present.SetUID(test.uid)
			live.SetUID(test.liveUID)
			if got := newPresence([]kube.Object{present}).has(live); got != test.want {
				t.Errorf("present: %v, want %v", got, test.want)
			}
		})
	}
}

// Members that are gone are found in every kind and namespace that the parent lists,
// and nothing else is.
func TestFind(t *testing.T) {
	present := members(t, "v1 Service api/web", "v1 ConfigMap b/web", "apps/v1 Deployment api/web")
	gone := members(t, "v1 Service api/old", "v1 ConfigMap b/old", "apps/v1 Deployment api/old", "v1 Namespace old", "v1 ConfigMap api/old")
	elsewhere := members(t, "v1 ConfigMap c/old", "v1 Secret api/old") // The parent does not list them.
	foreign := applied(decode(t, "v1 ConfigMap api/foreign", "v1 Service b/foreign")...)
	with(foreign[0], PartOfLabel, "applyset-x-v1")
	copied := with(decode(t, "v1 Service api/copied")[0], PartOfLabel, shop.ID())
	c := newCluster(interceptor.Funcs{}, slices.Concat(present, gone, elsewhere, foreign, []kube.Object{copied})...)

	p := &Parent{Set: shop, Listed: Of(slices.Concat(present, gone, decode(t, "gone.example.com/v1 Thing b/old")))}
	for name, present := range map[string][]kube.Object{"with UIDs": present, "as rendered": withoutUIDs(present)} {
		found, err := p.Find(t.Context(), c, present)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"deployment.apps/old", "service/old", "configmap/old", "configmap/old", "namespace/old"}
		if got := names(found.Gone); !slices.Equal(got, want) {
			t.Errorf("%s: gone are %q, want %q", name, got, want)
		}
		if len(found.Kept) != 1 || kube.Name(found.Kept[0].Object) != "service/copied" {
			t.Errorf("%s: kept: %v", name, found.Kept)
		}
		if !slices.Equal(found.Unknown, []schema.GroupKind{{Group: "gone.example.com", Kind: "Thing"}}) {
			t.Errorf("%s: unknown: %v", name, found.Unknown)
		}
	}
	found, err := (&Parent{Set: shop, Listed: Of(nil)}).Find(t.Context(), c, nil)
	if err != nil || len(found.Gone)+len(found.Kept)+len(found.Unknown) > 0 {
		t.Errorf("in a new set: %v, error %v", found, err)
	}
}

func withoutUIDs(objects []kube.Object) []kube.Object {
	var all []kube.Object
	for _, o := range objects {
		o = o.DeepCopy()
		o.SetUID("")
		all = append(all, o)
	}
	return all
}

// Lists are read page by page, and anew if the API server has forgotten the first page.
func TestPages(t *testing.T) {
	everything := members(t, "v1 Service api/a", "v1 Service api/b", "v1 Service api/c")
	for name, test := range map[string]struct {
		expires bool
		want    []int64 // limits of the requests
	}{
		"three pages":         {false, []int64{pageSize, pageSize, pageSize}},
		"forgotten meanwhile": {true, []int64{pageSize, pageSize, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var limits []int64
			c := newCluster(interceptor.Funcs{List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				options := (&client.ListOptions{}).ApplyOptions(opts)
				limits = append(limits, options.Limit)
				if options.Namespace != "api" || options.LabelSelector.String() != PartOfLabel+"="+shop.ID() {
					t.Errorf("asked for %+v", options)
				}
				page := list.(*unstructured.UnstructuredList)
				next := map[string]string{"": "b", "b": "c", "c": ""}[options.Continue]
				i := map[string]int{"": 0, "b": 1, "c": 2}[options.Continue]
				switch {
				case options.Limit == 0:
					page.Items = []unstructured.Unstructured{*everything[0], *everything[1], *everything[2]}
				case test.expires && options.Continue != "":
					return apierrors.NewResourceExpired("the provided continue parameter is too old")
				default:
					page.Items = []unstructured.Unstructured{*everything[i]}
					page.SetContinue(next)
				}
				return nil
			}})
			q := query{corev1.SchemeGroupVersion.WithKind("Service"), schema.GroupResource{Resource: "services"}, "api"}
			found, err := list(t.Context(), c, q, client.MatchingLabels{PartOfLabel: shop.ID()})
			if err != nil || !slices.Equal(limits, test.want) || !slices.Equal(names(found), []string{"service/a", "service/b", "service/c"}) {
				t.Errorf("error %v, limits %v, found %q", err, limits, names(found))
			}
		})
	}
}

// An object that is served as of two kinds is found once, and a kind that is served in
// one namespace is known.
func TestSameObjectTwice(t *testing.T) {
	old := members(t, "v1 ConfigMap api/old")[0]
	c := newCluster(interceptor.Funcs{List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if (&client.ListOptions{}).ApplyOptions(opts).Namespace == "b" {
			return apierrors.NewNotFound(schema.GroupResource{}, "")
		}
		list.(*unstructured.UnstructuredList).Items = []unstructured.Unstructured{*old}
		return nil
	}})
	p := &Parent{Set: shop, Listed: Of(decode(t, "v1 ConfigMap b/old", "v1 Secret api/old"))}
	found, err := p.Find(t.Context(), c, nil)
	if err != nil || len(found.Gone) != 1 || len(found.Unknown) > 0 {
		t.Errorf("error %v, found %v", err, found)
	}
}

// One error names every permission that is missing. It is no error if the cluster no
// longer has a kind that it had when it was asked for its kinds.
func TestListsRefused(t *testing.T) {
	refuse := func(refusal error) *kube.Cluster {
		return newCluster(interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return refusal }})
	}
	p := &Parent{Set: shop, Listed: Of(decode(t, "apps/v1 Deployment b/web", "v1 Namespace b"))}
	_, err := p.Find(t.Context(), refuse(forbidden(shop.key())), nil)
	wantError(t, err, "permission is missing: verb list, resource deployments.apps, namespace api;", "resource deployments.apps, namespace b;",
		"resource namespaces, in the whole cluster;", "ask those who run the cluster")
	_, err = p.Find(t.Context(), refuse(apierrors.NewTooManyRequests("slow down", 1)), nil)
	wantError(t, err, "listing deployments.apps, namespace b: slow down")
	found, err := p.Find(t.Context(), refuse(apierrors.NewNotFound(schema.GroupResource{}, "")), nil)
	if err != nil || !slices.Equal(found.Unknown, []schema.GroupKind{{Group: "apps", Kind: "Deployment"}, {Kind: "Namespace"}}) {
		t.Errorf("error %v, found %v", err, found)
	}
}

// silent is a cluster of which a group's server does not answer.
type silent struct{ meta.RESTMapper }

func (silent) RESTMapping(kind schema.GroupKind, _ ...string) (*meta.RESTMapping, error) {
	failed := apiutil.ErrResourceDiscoveryFailed{{Group: kind.Group, Version: "v1"}: apierrors.NewNotFound(schema.GroupResource{}, "")}
	return nil, &failed
}

// A kind of which the cluster cannot say whether it knows it is not taken for one that
// is gone: its members would be forgotten.
func TestKindsOfASilentServer(t *testing.T) {
	_, unknown, err := queries(silent{}, Of(decode(t, "metrics.example.com/v1 Rule api/a")))
	wantError(t, err, "asking whether the cluster knows kind Rule.metrics.example.com")
	if unknown.Len() > 0 {
		t.Errorf("unknown: %v", unknown)
	}
}
