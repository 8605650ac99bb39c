package transaction

import (
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/koshop/koshop/internal/kube"
)

// ErrUnchanged is what the function of a [Step] returns if it has left the object as it is.
var ErrUnchanged = errors.New("unchanged")

// Step is a change of one object that is in no plan, such as that it is deleted.
type Step struct {
	Object kube.Object
	Before kube.Object // as it is; nil where it is not
	// Shared says that other runs may change it at the same time. Then it is undone only
	// if none has.
	Shared bool
	// Do changes the object, and returns it as it is then; nil where it is not there or
	// that is not known.
	Do func() (after kube.Object, err error)
}

// Take carries out a step. Several steps of one object are undone as one. That the API
// server refuses a step means that nothing has changed.
func (t *Transaction) Take(step Step) error {
	e := t.entryOf(step.Object)
	known := e != nil
	if !known {
		e = &entry{object: step.Object, before: step.Before, shared: step.Shared}
		t.entries = append(t.entries, e)
	}
	after, err := step.Do()
	switch {
	case errors.Is(err, ErrUnchanged):
		err = nil
	case err == nil:
		e.after = after
		return nil
	case !isRefusal(err):
		e.after = nil // It may have taken effect all the same.
		return err
	}
	if !known {
		t.entries = t.entries[:len(t.entries)-1]
	}
	return err
}

// entryOf returns the entry of an object, or nil.
func (t *Transaction) entryOf(o kube.Object) *entry {
	for _, e := range t.entries {
		if kube.NameIn(e.object) == kube.NameIn(o) {
			return e
		}
	}
	return nil
}

// isRefusal says whether an error is an answer by which a request was not carried out.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code >= http.StatusBadRequest && code < http.StatusInternalServerError
}
