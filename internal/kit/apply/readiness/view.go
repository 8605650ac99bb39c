package readiness

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// view is what is known of a cluster while it is waited for: the objects, and in
// their namespaces the pods, the ReplicaSets that make them, and the events.
type view struct {
	cluster *kube.Cluster
	kinds   map[place]*mirror // of the objects that are waited for
	pods    map[string]*mirror
	sets    map[string]*mirror
	events  map[string]*mirror
}

// place is a kind in a namespace.
type place struct {
	kind      schema.GroupVersionKind
	namespace string
}

func newView(c *kube.Cluster, objects []kube.Object) *view {
	v := &view{cluster: c, kinds: map[place]*mirror{}, pods: map[string]*mirror{}, sets: map[string]*mirror{}, events: map[string]*mirror{}}
	for _, o := range objects {
		at := place{o.GroupVersionKind(), o.GetNamespace()}
		if v.kinds[at] == nil {
			v.kinds[at] = newMirror(listOf(at.kind), at.namespace)
		}
		v.kinds[at].asked = append(v.kinds[at].asked, o)
		if namespace := o.GetNamespace(); namespace != "" && v.pods[namespace] == nil {
			v.pods[namespace] = newMirror(func() client.ObjectList { return &corev1.PodList{} }, namespace)
			v.sets[namespace] = newMirror(func() client.ObjectList { return &appsv1.ReplicaSetList{} }, namespace)
			v.events[namespace] = newMirror(func() client.ObjectList { return &corev1.EventList{} }, namespace)
		}
	}
	return v
}

func listOf(kind schema.GroupVersionKind) func() client.ObjectList {
	kind.Kind += "List"
	return func() client.ObjectList {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		return list
	}
}

// first reads the objects that are waited for once, except for kinds and namespaces of
// which all have been read already.
func (v *view) first(ctx context.Context, live []kube.Object) {
	read := map[place]map[client.ObjectKey]client.Object{}
	for _, o := range live {
		at := place{o.GroupVersionKind(), o.GetNamespace()}
		if read[at] == nil {
			read[at] = map[client.ObjectKey]client.Object{}
		}
		read[at][client.ObjectKeyFromObject(o)] = o
	}
	var group sync.WaitGroup
	for at, m := range v.kinds {
		if len(read[at]) == len(m.asked) {
			m.set(read[at])
			continue
		}
		group.Go(func() {
			if err := m.ask(ctx, v.cluster.LiveAll); ctx.Err() == nil {
				m.note(err)
			}
		})
	}
	group.Wait()
}

// follow keeps the view up to date until the context ends, and returns once nothing
// of it runs any more.
func (v *view) follow(ctx context.Context, changed func()) {
	var group sync.WaitGroup
	for _, mirrors := range []map[string]*mirror{v.pods, v.sets, v.events} {
		for _, m := range mirrors {
			group.Go(func() { m.run(ctx, v.cluster, changed) })
		}
	}
	for _, m := range v.kinds {
		if len(m.asked) == 1 {
			m.opts.FieldSelector = fields.OneTermEqualSelector("metadata.name", m.asked[0].GetName())
		}
		group.Go(func() { m.run(ctx, v.cluster, changed) })
	}
	group.Wait()
}

// live returns an object as it was last seen; known says whether anything was.
func (v *view) live(o kube.Object) (live kube.Object, known bool) {
	found, known := v.kinds[place{o.GroupVersionKind(), o.GetNamespace()}].get(client.ObjectKeyFromObject(o))
	live, _ = found.(kube.Object)
	return live, known
}

// last returns an object that was deleted while it was waited for as it was before, or
// nil.
func (v *view) last(o kube.Object) kube.Object {
	last, _ := v.kinds[place{o.GroupVersionKind(), o.GetNamespace()}].last(client.ObjectKeyFromObject(o)).(kube.Object)
	return last
}

// newestSet returns the ReplicaSet that a Deployment rolls out, or nil.
func (v *view) newestSet(deployment kube.Object) *appsv1.ReplicaSet {
	var newest *appsv1.ReplicaSet
	eachIn(v.sets, deployment.GetNamespace(), func(set *appsv1.ReplicaSet) {
		if isOwned(set, deployment.GetUID()) && (newest == nil || revision(set) > revision(newest)) {
			newest = set
		}
	})
	return newest
}

// podsOf returns the pods that an owner has made and that are not on their way out,
// in the order of their names.
func (v *view) podsOf(namespace string, owner types.UID) []*corev1.Pod {
	var pods []*corev1.Pod
	eachIn(v.pods, namespace, func(pod *corev1.Pod) {
		if (isOwned(pod, owner) || pod.UID == owner) && pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	})
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

// seesPods says whether the pods of a namespace were read, or may not be.
func (v *view) seesPods(namespace string) bool {
	m := v.pods[namespace]
	if m == nil {
		return true
	}
	read, problem := m.known()
	return read || problem != nil
}

// hidesPods returns why it is not known what an object's pods do, or nil.
func (v *view) hidesPods(o kube.Object) error {
	m := v.pods[o.GetNamespace()]
	if m == nil || templateOf(o) == nil && kube.Kind(o) != kube.JobKind {
		return nil
	}
	read, problem := m.known()
	if read {
		return nil
	}
	return problem
}

// makesRoom says whether pods of a namespace are on their way out: what they hold, such
// as a part of a quota, is free in a moment.
func (v *view) makesRoom(namespace string) bool {
	found := false
	eachIn(v.pods, namespace, func(pod *corev1.Pod) { found = found || pod.DeletionTimestamp != nil })
	return found
}

// eventsOf returns the events about an object, the latest first.
func (v *view) eventsOf(namespace string, uid types.UID) []*corev1.Event {
	return v.eventsWhere(namespace, func(about corev1.ObjectReference) bool { return about.UID == uid })
}

// eventsOfClaim returns the events about the claim of that name, the latest first.
func (v *view) eventsOfClaim(namespace, name string) []*corev1.Event {
	return v.eventsWhere(namespace, func(about corev1.ObjectReference) bool {
		return about.Kind == claimKind.Kind && about.Name == name
	})
}

func (v *view) eventsWhere(namespace string, about func(corev1.ObjectReference) bool) []*corev1.Event {
	var events []*corev1.Event
	eachIn(v.events, namespace, func(event *corev1.Event) {
		if about(event.InvolvedObject) {
			events = append(events, event)
		}
	})
	slices.SortFunc(events, func(a, b *corev1.Event) int { return lastSeen(b).Compare(lastSeen(a).Time) })
	return events
}

func eachIn[T client.Object](mirrors map[string]*mirror, namespace string, do func(T)) {
	if m := mirrors[namespace]; m != nil {
		m.all(func(o client.Object) {
			if typed, ok := o.(T); ok {
				do(typed)
			}
		})
	}
}

func revision(set *appsv1.ReplicaSet) int {
	n, _ := strconv.Atoi(set.Annotations["deployment.kubernetes.io/revision"])
	return n
}

func isOwned(o client.Object, owner types.UID) bool {
	controller := metav1.GetControllerOf(o)
	return controller != nil && controller.UID == owner
}

// lastSeen is when an event happened last; it has one of three fields for that.
func lastSeen(event *corev1.Event) metav1.Time {
	switch {
	case event.Series != nil:
		return metav1.Time{Time: event.Series.LastObservedTime.Time}
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp
	case !event.EventTime.IsZero():
		return metav1.Time{Time: event.EventTime.Time}
	}
	return event.CreationTimestamp
}
