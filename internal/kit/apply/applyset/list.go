package applyset

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/koshop/koshop/internal/kube"
)

// pageSize is how many objects one answer holds at most. It is kubectl's.
const pageSize = 500

// parentResource is how the API server calls the kind of our parents.
var parentResource = schema.GroupResource{Resource: "configmaps"}

// query is what one list is of: the objects of a kind in one namespace, or in the whole
// cluster.
type query struct {
	kind      schema.GroupVersionKind
	resource  schema.GroupResource
	namespace string
}

// queries returns the lists in which all objects of these contents are, and the kinds
// that the cluster does not know. It fails if the cluster cannot say, as when an
// aggregated API server does not answer.
func queries(mapper meta.RESTMapper, in Contents) (all []query, unknown sets.Set[schema.GroupKind], err error) {
	unknown = sets.New[schema.GroupKind]()
	for kind := range in.Kinds {
		mapping, err := mapper.RESTMapping(kind)
		if _, silent := errors.AsType[*apiutil.ErrResourceDiscoveryFailed](err); !silent && meta.IsNoMatchError(err) {
			unknown.Insert(kind)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("asking whether the cluster knows kind %s: %w", kind, err)
		}
		q := query{kind: mapping.GroupVersionKind, resource: mapping.Resource.GroupResource()}
		if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
			all = append(all, q)
			continue
		}
		for namespace := range in.Namespaces {
			q.namespace = namespace
			all = append(all, q)
		}
	}
	return all, unknown, nil
}

// listAll carries out queries, and returns the objects of each. Those of a kind that
// the cluster does not serve are nil. It returns all errors at once, so that one run
// shows every permission that is missing.
func listAll(ctx context.Context, c client.Reader, all []query, opts ...client.ListOption) ([][]kube.Object, error) {
	found, failed := make([][]kube.Object, len(all)), make([]error, len(all))
	var group errgroup.Group
	group.SetLimit(kube.Concurrency)
	for i, q := range all {
		group.Go(func() error {
			found[i], failed[i] = list(ctx, c, q, opts...)
			return nil
		})
	}
	_ = group.Wait() // The errors are in failed.
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, errors.Join(failed...)
}

// list carries out a query, page by page. The API server may have forgotten between
// two pages what the first was of; then everything is asked for in one answer, as
// client-go's pager does.
func list(ctx context.Context, c client.Reader, q query, opts ...client.ListOption) ([]kube.Object, error) {
	all, next, limit := []kube.Object{}, "", int64(pageSize)
	for {
		page := &unstructured.UnstructuredList{}
		page.SetGroupVersionKind(q.kind.GroupVersion().WithKind(q.kind.Kind + "List"))
		which := []client.ListOption{client.InNamespace(q.namespace), client.Limit(limit), client.Continue(next)}
		err := c.List(ctx, page, append(which, opts...)...)
		switch {
		case apierrors.IsResourceExpired(err) && next != "":
			all, next, limit = []kube.Object{}, "", 0
			continue
		case kube.IsAbsent(err):
			return nil, nil
		case apierrors.IsForbidden(err):
			return nil, missing(err, "list", q.resource, q.namespace)
		case err != nil:
			return nil, fmt.Errorf("listing %s%s: %w", q.resource, in(q.namespace), err)
		}
		for i := range page.Items {
			all = append(all, &page.Items[i])
		}
		if next = page.GetContinue(); next == "" {
			return all, nil
		}
	}
}

// missing says which permission the user lacks, in the words of a Role.
func missing(err error, verb string, resource schema.GroupResource, namespace string) error {
	return fmt.Errorf("permission is missing: verb %s, resource %s%s; ask those who run the cluster for it: %w",
		verb, resource, in(namespace), err)
}

// in says where, after what.
func in(namespace string) string {
	if namespace == "" {
		return ", in the whole cluster"
	}
	return ", namespace " + namespace
}
