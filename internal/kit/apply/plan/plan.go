// Package plan decides what of a set of objects is sent to a cluster, and in which
// order: it asks the API server what it makes of every object, and changes nothing.
package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/koshop/koshop/internal/kube"
)

// FieldManager owns the fields that server-side apply sets:
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
const FieldManager = "ko"

// Verb is how objects are sent.
type Verb int

// Apply brings objects to what the manifests say; to Create, one that is there
// already is an error.
const (
	Apply Verb = iota
	Create
)

// Action is what becomes of an object, in kubectl's words.
type Action string

// What becomes of objects.
const (
	Created    Action = "created"
	Configured Action = "configured"
	Unchanged  Action = "unchanged"
	Replaced   Action = "replaced"
	Deleted    Action = "deleted"
	Kept       Action = "kept" // not deleted; without a reason, because this user may not
	Pruned     Action = "pruned"
	Adopted    Action = "adopted" // made a member of the set, only to be pruned
)

// Change is what is to become of one object.
type Change struct {
	Object kube.Object // as it is to be
	Before kube.Object // as it is; nil where it is not
	After  kube.Object // as the dry run has it; nil where it has not said so
	Action Action      // "" until the API server has judged it
	Verb   Verb
	Force  bool // take what others own

	replace     bool
	autoscalers *autoscalers
	early       *early // nil for one that is judged when its grounds are there
	guessed     bool   // After is not what the API server says
}

// Options are choices that people have.
type Options struct {
	Verb           Verb
	ForceConflicts bool // take fields that other managers own
	Replace        bool // delete objects that cannot be changed as wanted, and make them anew
	// Read is called with the objects, which have their namespaces, and what the cluster
	// has of each, nil where it is not there, before any is judged. It may change the
	// objects, and refuse them all. It may be nil.
	Read func(ctx context.Context, objects, live []kube.Object) error
}

// Plan is what is to become of a set of objects. An object that rests on another
// of the set, such as its namespace, cannot be judged before that is in the
// cluster: so the grounds are sent first, and then the rest is judged.
type Plan struct {
	Grounds []*Change
	Rest    []*Change

	cluster *kube.Cluster
	changes []*Change // all, in the order in which they are sent
	later   []*Change // those of Rest that nobody has judged
}

// Make plans how to send objects, and has everything judged that rests on nothing
// else. Refusals come all at once, and the cluster is as it was. The objects get
// the namespaces that they name none of.
func Make(ctx context.Context, places *Places, objects []kube.Object, opts Options) (*Plan, error) {
	InOrder(objects)
	if err := places.placeAll(objects); err != nil {
		return nil, err
	}
	p := &Plan{cluster: places.cluster}
	scaled := newAutoscalers(p.cluster, objects)
	for _, o := range objects {
		p.changes = append(p.changes, &Change{Object: o, Verb: opts.Verb, Force: opts.ForceConflicts, replace: opts.Replace, autoscalers: scaled})
	}
	if err := p.look(ctx, opts); err != nil {
		return nil, fmt.Errorf("nothing was changed in the cluster: %w", err)
	}
	grounds, err := p.findGrounds(ctx)
	if err != nil {
		return nil, err
	}
	now, later := split(p.changes, grounds)
	if err := p.judge(ctx, now); err != nil {
		return nil, fmt.Errorf("nothing was changed in the cluster: %w", err)
	}
	p.Rest = p.changes
	if len(later) > 0 {
		p.Grounds, p.Rest = grounds, without(p.changes, grounds)
		p.later = without(later, grounds) // A ground may rest on another: a ServiceAccount on its namespace.
	}
	return p, nil
}

// Sent notes what has become of a change that nobody had judged before, because others
// rest on it and it rests on another.
func (c *Change) Sent(before, after kube.Object) {
	switch {
	case c.Action != "":
	case before == nil:
		c.Action = Created
	case before.GetResourceVersion() == after.GetResourceVersion():
		c.Action = Unchanged
	default:
		c.Action = Configured
	}
}

// look reads what there is of the objects.
func (p *Plan) look(ctx context.Context, opts Options) error {
	objects := make([]kube.Object, len(p.changes))
	for i, change := range p.changes {
		objects[i] = change.Object
	}
	live, err := p.cluster.LiveAll(ctx, objects)
	if err != nil {
		return err
	}
	for i, change := range p.changes {
		change.Before = live[i]
	}
	if opts.Read != nil {
		return opts.Read(ctx, objects, live)
	}
	return nil
}

const (
	// schemaTimeout bounds how long the API server may take to judge objects by a
	// definition that has just changed.
	schemaTimeout = 5 * time.Second
	// establishTimeout bounds how long a new definition may take to be served.
	establishTimeout = 30 * time.Second
	// pollEvery is how often the API server is asked meanwhile.
	pollEvery = 200 * time.Millisecond
)
