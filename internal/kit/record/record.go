// Package record knows what an image was made of, so that an image whose inputs have
// not changed need not be built again.
//
// There are two views of the inputs of a program. Its [Inputs] are everything that the
// bytes of its image depend on, by content, without the paths of this machine: two
// clones of a repository have the same. To find them, the go tool is asked for the
// packages. A [Snapshot] is what was looked at on this machine to find them. It can be
// compared without the go tool: if nothing that was looked at has changed, neither have
// the inputs. If something has, they are found again, and may be the same.
//
// A program of which it cannot be said what all its inputs are, such as one that is
// linked with a C library, has none: it is always built.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Kind is what sort of thing an input is. The first ones explain the later ones: another
// version of Go has other packages.
type Kind int

const (
	Toolchain  Kind = iota // the go tool
	Setting                // a flag, a variable, a member of .ko.yaml
	Base                   // the base image
	Module                 // go.mod and what else decides the versions of packages
	File                   // a file of a package that is there to be edited
	Data                   // a file of kodata
	Repository             // what the go tool puts into an executable about the commit
	Package                // a package of Go or of the module cache
)

var kinds = []string{"toolchain", "setting", "base", "module", "file", "data", "repository", "package"}

func (k Kind) String() string { return kinds[k] }

// Input is a thing that an image is made of.
type Input struct {
	Kind Kind
	// Name identifies it among those of its kind. A file of the main module is named by
	// its path in it, with slashes.
	Name string
	// Value is a setting's value, and the hash of what a file has.
	Value string
}

// Inputs are all inputs of an image, sorted.
type Inputs []Input

// newInputs sorts inputs. Of several that are the same one stays.
func newInputs(all []Input) Inputs {
	slices.SortFunc(all, func(a, b Input) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return strings.Compare(a.Name+"\x00"+a.Value, b.Name+"\x00"+b.Value)
	})
	return slices.Compact(all)
}

// Hash returns a hash of the inputs, in hexadecimal digits. It is the same on every
// machine for the same inputs.
func (in Inputs) Hash() string {
	sum := sha256.New()
	in.write(sum)
	return hex.EncodeToString(sum.Sum(nil))
}

// write writes one input a line, in Go's syntax, so that no name can look like another.
func (in Inputs) write(w io.Writer) {
	for _, input := range in {
		fmt.Fprintf(w, "%s %q %q\n", input.Kind, input.Name, input.Value)
	}
}

// Unknown says why it is not known what a program is made of. Such a program is built
// each time.
type Unknown struct{ Reason string }

func (u *Unknown) Error() string { return "its inputs are not known: " + u.Reason }

func unknown(format string, args ...any) error { return &Unknown{fmt.Sprintf(format, args...)} }
