package record

import (
	"context"
	"strings"

	"github.com/koshop/koshop/internal/kit/program"
)

// Record is what one image was made of, and where it is.
type Record struct {
	// Image is the digest of the image.
	Image string
	// Inputs are what it was made of.
	Inputs Inputs

	conditions string
	snapshot   *Snapshot
}

// New finds what the image of a program is made of. It has one recipe for each platform.
// The other inputs are those that no recipe says anything of, such as the base image. It
// returns [Unknown] if it cannot be said for certain what the image is made of.
func New(ctx context.Context, look *Look, recipes []*program.Recipe, others []Input) (*Record, error) {
	r := &Record{snapshot: newSnapshot()}
	all := others
	for i, recipe := range recipes {
		inputs, snapshot, err := look.Find(ctx, recipe)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			inputs = inputs.of(recipe.Platform())
		}
		all = append(all[:len(all):len(all)], inputs...)
		r.snapshot.add(snapshot)
	}
	var err error
	r.Inputs = newInputs(all)
	r.conditions, err = conditionsOf(ctx, look, recipes)
	return r, err
}

// of returns the inputs of one of several platforms: those that may differ between
// platforms have its name.
func (in Inputs) of(platform string) Inputs {
	named := make(Inputs, len(in))
	for i, input := range in {
		switch input.Kind {
		case Toolchain, Setting, Package:
			input.Name += " for " + platform
		}
		named[i] = input
	}
	return named
}

// Holds reports whether the image would be made of the same now. It asks the go tool only
// for its version, and false may be wrong: [New] knows better.
func (r *Record) Holds(ctx context.Context, look *Look, recipes []*program.Recipe, others []Input) bool {
	conditions, err := conditionsOf(ctx, look, recipes)
	return err == nil && conditions == r.conditions && r.hasOthers(others) && r.snapshot.Holds(look)
}

// Stands reports whether nothing was touched since the inputs were found, and the
// templates in flags have the same values: what was compiled meanwhile is what they say.
// The look must be a new one. It can be asked of a record of this process only, not of
// one that was loaded.
func (r *Record) Stands(ctx context.Context, look *Look, recipes []*program.Recipe) bool {
	conditions, err := conditionsOf(ctx, look, recipes)
	return err == nil && conditions == r.conditions && r.snapshot.isUntouched(look)
}

// hasOthers reports whether the inputs that no recipe says anything of are these.
func (r *Record) hasOthers(others []Input) bool {
	recorded := map[Input]bool{}
	for _, input := range r.Inputs {
		recorded[input] = true
	}
	for _, input := range others {
		if !recorded[input] {
			return false
		}
	}
	return true
}

// Equal reports whether two images are made of the same.
func (in Inputs) Equal(other Inputs) bool {
	var a, b strings.Builder
	in.write(&a)
	other.write(&b)
	return a.String() == b.String()
}
