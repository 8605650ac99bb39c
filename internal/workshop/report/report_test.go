package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/koshop/koshop/internal/workshop/report"
)

// journey has a step of every kind. Taken records what was looked at.
func journey(taken *[]string) report.Section {
	step := func(name string, finding report.Finding, needs ...string) report.Step {
		return report.Step{Name: name, Needs: needs, Look: func(context.Context) report.Finding {
			*taken = append(*taken, name)
			return finding
		}}
	}
	return report.Section{Name: "journey", Title: "everything is packed", Steps: []report.Step{
		step("bag", report.Pass("a %s one", "blue")),
		step("shoes", report.Warn("polish them", "dusty"), "bag"),
		step("passport", report.Fail("renew it\nat the town hall", "expired\nin May"), "bag", "shoes"),
		step("map", report.Fail("renew it\nat the town hall", "of 1980")),
		step("visa", report.Pass("a year"), "passport"),
		step("flight", report.Pass("seat 1"), "bag", "visa"),
	}}
}

func TestPrinter(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	var taken []string
	var out bytes.Buffer
	printer := report.NewPrinter(&out)
	result := report.Run(t.Context(), journey(&taken), printer)
	report.Run(t.Context(), report.Section{Name: "return", Title: "home again"}, printer)
	const want = `journey: everything is packed
  ✓ bag       a blue one
  ! shoes     dusty
              → polish them
  ✗ passport  expired
              in May
              → renew it
                at the town hall
  ✗ map       of 1980
  – visa      needs passport
  – flight    needs visa

return: home again
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if result.Passed() {
		t.Error("a failed step does not fail the whole")
	}
	if !slices.Equal(taken, []string{"bag", "shoes", "passport", "map"}) {
		t.Errorf("looked at %q", taken)
	}
}

func TestWarningsAndSkippedStepsFailNothing(t *testing.T) {
	result := report.Run(t.Context(), report.Section{Steps: []report.Step{
		{Name: "warned", Look: func(context.Context) report.Finding { return report.Warn("", "rain") }},
		{Name: "skipped", Look: func(context.Context) report.Finding { return report.Skip("closed") }},
	}}, report.Quiet{})
	if !result.Passed() {
		t.Errorf("%+v", result)
	}
}

func TestInterruptedRunLooksAtNothingMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var taken []string
	for _, step := range report.Run(ctx, journey(&taken), report.Quiet{}).Steps {
		if step.Status != report.Skipped {
			t.Errorf("%+v", step)
		}
	}
	if len(taken) > 0 {
		t.Errorf("looked at %q", taken)
	}
}

// What fails because it was interrupted says nothing of what was looked at.
func TestInterruptedStepFailsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	result := report.Run(ctx, report.Section{Steps: []report.Step{
		{Name: "bag", Look: func(context.Context) report.Finding { return report.Pass("a blue one") }},
		{Name: "passport", Look: func(ctx context.Context) report.Finding { cancel(); return report.Fail("try again", "%v", ctx.Err()) }},
	}}, report.Quiet{})
	if bag := result.Steps[0].Finding; bag != report.Pass("a blue one") {
		t.Errorf("before: %+v", bag)
	}
	if passport := result.Steps[1].Finding; passport != report.Skip("interrupted") {
		t.Errorf("meanwhile: %+v", passport)
	}
}

func TestJSON(t *testing.T) {
	var taken []string
	var out bytes.Buffer
	if err := report.PrintJSON(&out, []report.Result{report.Run(t.Context(), journey(&taken), report.Quiet{})}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Passed   bool
		Sections []struct {
			Name  string
			Steps []map[string]string
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passed || len(got.Sections) != 1 || got.Sections[0].Name != "journey" || len(got.Sections[0].Steps) != 6 {
		t.Fatalf("%+v", got)
	}
	for member, want := range map[string]string{"name": "passport", "status": "failed", "saw": "expired\nin May", "next": "renew it\nat the town hall"} {
		if got := got.Sections[0].Steps[2][member]; got != want {
			t.Errorf("%s is %q, want %q", member, got, want)
		}
	}
}
