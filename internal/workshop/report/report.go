// Package report looks at one thing after another and says of each what it saw
// and, where something is wrong, what to do next.
package report

import (
	"context"
	"fmt"
	"strings"
)

// Status is what became of a step.
type Status string

// What may become of a step. Only Failed makes a run fail.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Warned  Status = "warning" // good enough to go on
	Skipped Status = "skipped" // not looked at
)

// Finding is what a step saw.
type Finding struct {
	Status Status `json:"status"`
	Saw    string `json:"saw"`
	Next   string `json:"next,omitempty"` // what to do about it
}

// Pass says that all is well.
func Pass(format string, args ...any) Finding {
	return Finding{Status: Passed, Saw: fmt.Sprintf(format, args...)}
}

// Fail says what is wrong, and what to do next.
func Fail(next, format string, args ...any) Finding {
	return Finding{Status: Failed, Saw: fmt.Sprintf(format, args...), Next: next}
}

// Warn says what is wrong and does not stop anybody yet, and what to do next.
func Warn(next, format string, args ...any) Finding {
	return Finding{Status: Warned, Saw: fmt.Sprintf(format, args...), Next: next}
}

// Skip says why nothing was looked at.
func Skip(format string, args ...any) Finding {
	return Finding{Status: Skipped, Saw: fmt.Sprintf(format, args...)}
}

// Step looks at one thing.
type Step struct {
	Name  string
	Needs []string // the steps before it without which there is nothing to look at
	Look  func(context.Context) Finding
}

// Section is a list of steps under a title.
type Section struct {
	Name  string
	Title string
	Steps []Step
}

// Result is what became of a section.
type Result struct {
	Name  string       `json:"name"`
	Title string       `json:"title"`
	Steps []StepResult `json:"steps"`
}

// StepResult is what became of a step.
type StepResult struct {
	Name string `json:"name"`
	Finding
}

// Passed reports whether no step has failed.
func (r Result) Passed() bool {
	for _, step := range r.Steps {
		if step.Status == Failed {
			return false
		}
	}
	return true
}

// Shower shows a run while it goes on.
type Shower interface {
	Section(Section)
	Looking(Step)
	Saw(StepResult)
}

// Run takes the steps of a section, in order.
func Run(ctx context.Context, section Section, show Shower) Result {
	show.Section(section)
	result := Result{Name: section.Name, Title: section.Title, Steps: []StepResult{}}
	found := map[string]Status{}
	for _, step := range section.Steps {
		show.Looking(step)
		taken := StepResult{Name: step.Name, Finding: take(ctx, step, found)}
		found[step.Name] = taken.Status
		result.Steps = append(result.Steps, taken)
		show.Saw(taken)
	}
	return result
}

func take(ctx context.Context, step Step, found map[string]Status) Finding {
	var missing []string
	for _, need := range step.Needs {
		if found[need] != Passed && found[need] != Warned {
			missing = append(missing, need)
		}
	}
	switch {
	case ctx.Err() != nil:
		return Skip("interrupted")
	case len(missing) > 0:
		return Skip("needs %s", strings.Join(missing, ", "))
	}
	finding := step.Look(ctx)
	if ctx.Err() != nil && finding.Status == Failed {
		return Skip("interrupted") // What failed for that reason says nothing of what was looked at.
	}
	return finding
}
