package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// listedPerWanted bounds a list: to so many objects for each that is wanted. Other
// objects of a namespace may be thousands.
const listedPerWanted = 4

// large are the kinds whose objects hold up to 1 MiB of what people or programs put
// there, as Helm does with its releases. Without a label to choose them by, they are
// not listed.
var large = map[schema.GroupKind]bool{{Kind: "ConfigMap"}: true, {Kind: "Secret"}: true}

// list is one request for the objects at several places of a reading, which are of one
// kind in one namespace.
type list struct {
	place
	places []int
	labels map[string]string // that all of them are to have
}

// place is a kind in a namespace.
type place struct {
	kind      schema.GroupVersionKind
	namespace string
}

// lists returns the requests by which several objects are read at once, and the places
// of the objects that are in none of them.
func (r *reading) lists() (lists []list, single []int) {
	alike := map[place]*list{}
	for i, o := range r.objects {
		at := place{o.GroupVersionKind(), o.GetNamespace()}
		l := alike[at]
		if l == nil {
			l = &list{place: at, labels: maps.Clone(o.GetLabels())}
			alike[at] = l
		}
		l.places = append(l.places, i)
		maps.DeleteFunc(l.labels, func(name, value string) bool {
			other, there := o.GetLabels()[name]
			return !there || other != value
		})
	}
	for _, l := range alike {
		if l.isWorthIt() {
			lists = append(lists, *l)
		} else {
			single = append(single, l.places...)
		}
	}
	return lists, single
}

// isWorthIt says whether a list is cheaper than a request for each object. What is in
// no namespace is the whole cluster's, so that there are many others.
func (l *list) isWorthIt() bool {
	if len(l.places) < 2 {
		return false
	}
	return len(l.labels) > 0 || l.namespace != "" && !large[l.kind.GroupKind()]
}

// list reads what a list has of the objects. An API server that answers otherwise than
// with the list leaves them unknown: this user may not list them, or what it cannot
// serve is not one of them.
func (r *reading) list(ctx context.Context, l list) error {
	page := &unstructured.UnstructuredList{}
	page.SetGroupVersionKind(l.kind.GroupVersion().WithKind(l.kind.Kind + "List"))
	limit := client.Limit(listedPerWanted * len(l.places))
	err := r.cluster.List(ctx, page, client.InNamespace(l.namespace), client.MatchingLabels(l.labels), limit)
	answer := apierrors.APIStatus(nil)
	switch {
	case meta.IsNoMatchError(err):
		r.settle(l.places, nil, true) // There can be none.
		return nil
	case errors.As(err, &answer):
		return nil
	case err != nil:
		return fmt.Errorf("asking %s for objects of kind %s: %w", r.cluster.Host(), l.kind.Kind, err)
	}
	// One that lacks the labels may be there all the same.
	r.settle(l.places, page.Items, page.GetContinue() == "" && len(l.labels) == 0)
	return nil
}

// settle notes down objects that were found. If these are all that there are, the
// others are not there.
func (r *reading) settle(places []int, found []unstructured.Unstructured, all bool) {
	byName := map[string]Object{}
	for i := range found {
		byName[found[i].GetName()] = &found[i]
	}
	for _, i := range places {
		live := byName[r.objects[i].GetName()]
		r.live[i], r.known[i] = live, live != nil || all
	}
}
