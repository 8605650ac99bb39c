// Package event is what a run tells of itself, for people and for programs.
package event

import (
	"encoding/json"
	"io"
	"time"

	"github.com/koshop/koshop/internal/kube"
)

// Event is something that happened in a run. As JSON it is one line. Fields may be
// added; those that are there keep their names and meanings.
type Event struct {
	// Time is when it happened, by the clock of this machine.
	Time time.Time `json:"time"`
	// Event is "object" where something was done to an object, "wait" where an object
	// is doing otherwise than before, and "error" where the run has failed, which is
	// the last.
	Event string `json:"event"`
	// Object is what kubectl calls the object, such as deployment.apps/user-svc.
	Object string `json:"object,omitempty"`
	// Namespace is the object's, or "".
	Namespace string `json:"namespace,omitempty"`
	// Action is what was done to an object: created, configured, unchanged, replaced,
	// deleted, pruned (deleted because it is gone from the kustomization), adopted (it
	// was applied before there was a set), kept (not deleted), or undone: it is as it was
	// before.
	Action string `json:"action,omitempty"`
	// State is how an object that is waited for is doing: ready, progressing, blocked
	// (by what could still change), failed, or for one that is deleted, gone.
	State string `json:"state,omitempty"`
	// Message explains the action or the state, or is the error.
	Message string `json:"message,omitempty"`
}

// The values of Event.
const (
	Object = "object"
	Wait   = "wait"
	Error  = "error"
)

// Report is told of events as they happen.
type Report func(Event)

// Done reports what was done to an object.
func (r Report) Done(o kube.Object, action string) {
	r(Event{Time: time.Now(), Event: Object, Object: kube.Name(o), Namespace: o.GetNamespace(), Action: action})
}

// Explains reports what was done to an object, and why.
func (r Report) Explains(o kube.Object, action, why string) {
	r(Event{Time: time.Now(), Event: Object, Object: kube.Name(o), Namespace: o.GetNamespace(), Action: action, Message: why})
}

// Waits reports how an object is doing that is waited for.
func (r Report) Waits(o kube.Object, state, message string) {
	r(Event{Time: time.Now(), Event: Wait, Object: kube.Name(o), Namespace: o.GetNamespace(), State: state, Message: message})
}

// Fails reports why the run has failed.
func (r Report) Fails(err error) {
	r(Event{Time: time.Now(), Event: Error, Message: err.Error()})
}

// JSON writes events to w, one a line.
func JSON(w io.Writer) Report {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(e Event) { _ = encoder.Encode(e) } // To a pipe that nobody reads any more.
}
