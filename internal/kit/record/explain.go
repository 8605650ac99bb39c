package record

import (
	"fmt"
	"slices"
	"strings"
)

// Explain says in a few words why an image of these inputs is not one of the former ones:
// "internal/shop/payments/cashier.go changed". It returns "" if they are the same.
func (in Inputs) Explain(former Inputs) string {
	differences := in.differences(former)
	if len(differences) == 0 {
		return ""
	}
	reason := differences[0].String()
	switch more := len(differences) - 1; {
	case more == 1:
		reason += ", and 1 more"
	case more > 1:
		reason += fmt.Sprintf(", and %d more", more)
	}
	return reason
}

// Difference is an input that changed, came, or went. Was or Is is "absent" if it was not
// there, or is no longer.
type Difference struct {
	Kind    Kind
	Name    string
	Was, Is string
}

// differences are sorted as inputs are. Those that others explain come last.
func (in Inputs) differences(former Inputs) []Difference {
	type id struct {
		kind Kind
		name string
	}
	was := map[id]string{}
	for _, input := range former {
		was[id{input.Kind, input.Name}] = input.Value
	}
	var all []Difference
	for _, input := range in {
		before, found := was[id{input.Kind, input.Name}]
		if !found {
			before = absent
		}
		delete(was, id{input.Kind, input.Name})
		if before != input.Value {
			all = append(all, Difference{input.Kind, input.Name, before, input.Value})
		}
	}
	for _, input := range former {
		if before, gone := was[id{input.Kind, input.Name}]; gone && before != absent {
			all = append(all, Difference{input.Kind, input.Name, before, absent})
		}
	}
	slices.SortStableFunc(all, func(a, b Difference) int { return int(a.Kind) - int(b.Kind) })
	return all
}

// String says what changed.
func (d Difference) String() string {
	what := d.Name
	switch d.Kind {
	case Toolchain:
		if d.Name == "Go" {
			return fmt.Sprintf("Go changed from %s to %s", d.Was, d.Is)
		}
		what = "the program " + d.Name + " of Go"
	case Setting, Base, Repository:
		return d.setting()
	case Package:
		what = "package " + d.Name
	}
	switch {
	case d.Was == absent:
		return what + " is new"
	case d.Is == absent:
		return what + " is gone"
	}
	return what + " changed"
}

// maxValue is how long a value is shown, in bytes.
const maxValue = 80

func (d Difference) setting() string {
	what := d.Name
	if d.Kind == Repository {
		what = "the commit"
	}
	// What -X puts into a program may be a password from the environment.
	if len(d.Was) > maxValue || len(d.Is) > maxValue || strings.ContainsAny(d.Was+d.Is, "\n\r") || strings.Contains(d.Was+d.Is, "-X") {
		return what + " changed"
	}
	return fmt.Sprintf("%s changed from %s to %s", what, shown(d.Was), shown(d.Is))
}

func shown(value string) string {
	switch {
	case value == absent:
		return "nothing"
	case value == "" || strings.Contains(value, " "):
		return fmt.Sprintf("%q", value)
	}
	return value
}
