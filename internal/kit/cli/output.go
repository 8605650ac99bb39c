package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
)

// output is the form in which a command tells what it does.
type output struct{ form string }

// addOutputFlag adds -o, which goes with -k only.
func addOutputFlag(cmd *cobra.Command) *output {
	o := &output{}
	cmd.Flags().StringVarP(&o.form, "output", "o", "", "With -k, \"json\" prints what happens as JSON, one event a line")
	onlyWithKustomize(cmd, "output")
	return o
}

// report returns what takes events: for people, a line for each object as kubectl
// prints it.
func (o *output) report(cmd *cobra.Command, log *progress.Log) (event.Report, error) {
	switch o.form {
	case "json":
		return event.JSON(cmd.OutOrStdout()), nil
	case "":
		return func(e event.Event) {
			if e.Event == event.Object {
				log.Result(cmd.OutOrStdout(), "%s %s", e.Object, inWords(e))
			}
		}, nil
	}
	return nil, fmt.Errorf("--output %q: the only form that there is is json", o.form)
}

// fails tells programs of an error, which people are told by the command itself.
func (o *output) fails(report event.Report, err error) {
	if err != nil && o.form != "" {
		report.Fails(err)
	}
}

func inWords(e event.Event) string {
	switch {
	case e.Message != "":
		return e.Action + ": " + e.Message
	case e.Action == string(plan.Kept):
		return "kept, because you may not delete it"
	}
	return e.Action
}
