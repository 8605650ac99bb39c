package readiness

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// retryEvery is how long a mirror waits before it asks again, where the API server
// did not answer or where nobody lets it watch.
const retryEvery = time.Second

// mirror holds the objects of one kind in one namespace as they are, by a list and
// a watch from there on. Who may not list them asks for each of those that are waited
// for.
type mirror struct {
	empty func() client.ObjectList
	opts  client.ListOptions
	asked []kube.Object // none where any may be there

	mu      sync.Mutex
	items   map[client.ObjectKey]client.Object
	gone    map[client.ObjectKey]client.Object // as they were last, those that were deleted
	isRead  bool                               // whether they were ever read
	problem error                              // why it is not known how they are now
}

func newMirror(empty func() client.ObjectList, namespace string) *mirror {
	return &mirror{empty: empty, opts: client.ListOptions{Namespace: namespace}, gone: map[client.ObjectKey]client.Object{}}
}

// run keeps the mirror up to date until the context ends, and calls changed whenever
// something has changed.
func (m *mirror) run(ctx context.Context, c *kube.Cluster, changed func()) {
	for ctx.Err() == nil {
		version, err := m.list(ctx, c)
		if err == nil {
			changed()
			err = m.watch(ctx, c, version, changed)
		}
		select {
		case <-ctx.Done():
			return // That it was cut off says nothing of the API server.
		default:
			m.note(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// list reads all objects, and returns the version that a watch goes on from.
func (m *mirror) list(ctx context.Context, c *kube.Cluster) (version string, err error) {
	list := m.empty()
	opts := m.opts
	err = c.List(ctx, list, &opts)
	if apierrors.IsForbidden(err) && len(m.asked) > 0 {
		return "", m.ask(ctx, c.LiveEach)
	}
	if err != nil {
		return "", err
	}
	items := map[client.ObjectKey]client.Object{}
	err = meta.EachListItem(list, func(item runtime.Object) error {
		o := item.(client.Object)
		items[client.ObjectKeyFromObject(o)] = o
		return nil
	})
	m.set(items)
	return list.GetResourceVersion(), err
}

// ask reads the objects that are waited for, and no others.
func (m *mirror) ask(ctx context.Context, read func(context.Context, []kube.Object) ([]kube.Object, error)) error {
	found, err := read(ctx, m.asked)
	if err != nil {
		return err
	}
	items := map[client.ObjectKey]client.Object{}
	for _, live := range found {
		if live != nil {
			items[client.ObjectKeyFromObject(live)] = live
		}
	}
	m.set(items)
	return nil
}

func (m *mirror) set(items map[client.ObjectKey]client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items, m.isRead, m.problem = items, true, nil
}

// watch follows changes until the API server ends the watch.
func (m *mirror) watch(ctx context.Context, c *kube.Cluster, version string, changed func()) error {
	if version == "" {
		return nil // Then it is read again and again.
	}
	opts := m.opts
	opts.Raw = &metav1.ListOptions{ResourceVersion: version}
	watching, err := c.Watch(ctx, m.empty(), &opts)
	if apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer watching.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-watching.ResultChan():
			if !open || event.Type == watch.Error {
				return nil
			}
			if o, ok := event.Object.(client.Object); ok && m.take(event.Type, o) {
				changed()
			}
		}
	}
}

// take notes down what became of an object.
func (m *mirror) take(what watch.EventType, o client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch what {
	case watch.Added, watch.Modified:
		m.items[client.ObjectKeyFromObject(o)] = o
	case watch.Deleted:
		delete(m.items, client.ObjectKeyFromObject(o))
		if len(m.asked) > 0 {
			m.gone[client.ObjectKeyFromObject(o)] = o
		}
	default:
		return false
	}
	return true
}

func (m *mirror) note(problem error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problem = problem
}

// get returns an object as it was last seen; read says whether anything was.
func (m *mirror) get(key client.ObjectKey) (o client.Object, read bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.items[key], m.isRead
}

// last returns an object that was deleted as it was before, or nil.
func (m *mirror) last(key client.ObjectKey) client.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.gone[key]
}

// known says whether the objects were ever read, and why it is not known how they are
// now.
func (m *mirror) known() (read bool, problem error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.isRead, m.problem
}

// all calls do for every object.
func (m *mirror) all(do func(client.Object)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.items {
		do(o)
	}
}
