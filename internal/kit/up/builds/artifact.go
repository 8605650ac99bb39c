package builds

import (
	"context"
	"slices"

	"github.com/koshop/koshop/internal/kit/compile"
)

// Artifact is what there is of an import path.
type Artifact struct {
	ImportPath string
	Executable string // the newest that compiled; "" before the first
	Digest     string // of the content of Executable
	Failure    string // what the last build failed with, "" if it did not

	outdated string          // the one before, which a slot may be about to start
	inputs   *compile.Inputs // nil before the first listing
	compiled *compile.Inputs // those of the last compilation that succeeded, while there is a failure
	serial   int             // of the newest build that was started
	cancel   context.CancelFunc
}

// Dir returns the directory of the main package.
func (a *Artifact) Dir() string { return a.inputs.Dir }

// IsListed reports whether it is known what it is made of.
func (a *Artifact) IsListed() bool { return a.inputs != nil }

// Found takes note of what the import path is made of, and reports whether that is in
// other directories than before. What it was made of when it compiled last may be what
// has to be put right.
func (a *Artifact) Found(inputs *compile.Inputs) (moved bool) {
	moved = a.inputs == nil || !slices.Equal(a.inputs.Dirs(), inputs.Dirs())
	switch {
	case a.Failure == "":
		a.compiled = nil
	case a.compiled == nil:
		a.compiled = a.inputs
	}
	a.inputs = inputs
	return moved
}

// watched returns the inputs whose changes concern the import path.
func (a *Artifact) watched() []*compile.Inputs {
	return slices.DeleteFunc([]*compile.Inputs{a.inputs, a.compiled}, func(in *compile.Inputs) bool { return in == nil })
}
