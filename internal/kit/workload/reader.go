package workload

import (
	"fmt"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// reader gathers a plan object by object.
type reader struct {
	plan    *Plan
	images  Images
	count   int                   // of workloads so far
	others  []*Workload           // no main container is built from Go
	ignored map[string]int        // objects by kind
	err     error                 // what makes the manifests invalid, beside fields of the wrong type
	bound   map[manifest.Key]bool // ServiceAccounts with rights
}

func (r *reader) note(about *Workload, format string, args ...any) {
	r.plan.notes = append(r.plan.notes, note{about: about, text: fmt.Sprintf(format, args...)})
}

// into decodes o and hands it on.
func into[T any](r *reader, o manifest.Object, use func(*T)) error {
	decoded, unknown, err := manifest.Decode[T](o)
	if err != nil {
		return err
	}
	for _, field := range unknown {
		r.note(nil, "%s: %v: it is ignored", o, field)
	}
	use(decoded)
	return nil
}

// count is a number that defaults to 1, as numbers of pods do.
func count(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}
