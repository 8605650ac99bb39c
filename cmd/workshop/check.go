package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

func checkCommand() *cobra.Command {
	var output, frontDoor string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:       "check [CHAPTER]",
		Short:     "Say how far the workshop has come, and what to do next",
		Long:      "Say how far the workshop has come, and what to do next. The chapters are " + strings.Join(check.Names(), ", ") + ".",
		Args:      oneChapter,
		ValidArgs: check.Names(),
	}
	connection := connectionFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for programs")
	cmd.Flags().StringVar(&frontDoor, "front-door", "localhost:8080", "address of `ko up` on this laptop")
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to look again while something fails, such as 1m")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFrontDoor(frontDoor); err != nil {
			return err
		}
		place := check.Place{FrontDoor: frontDoor, Connect: func() (*cluster.Shop, error) { return cluster.Connect(connection) }}
		sections := func() []report.Section { return check.Sections(place, strings.Join(args, "")) }
		if wait > 0 {
			await(cmd, sections, wait)
		}
		return look(cmd, sections(), output)
	}
	return cmd
}

// lookAgainEvery is how long await waits between two looks.
const lookAgainEvery = time.Second

// await looks until nothing fails any more, or the time is over, and says
// meanwhile what it waits for.
func await(cmd *cobra.Command, sections func() []report.Section, patience time.Duration) {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	said := ""
	for {
		failed := firstFailure(ctx, sections())
		if failed == "" || ctx.Err() != nil {
			return
		}
		if failed != said {
			fmt.Fprintln(cmd.ErrOrStderr(), "waiting:", failed)
			said = failed
		}
		select {
		case <-time.After(lookAgainEvery):
		case <-ctx.Done():
			return
		}
	}
}

// firstFailure returns the first step that fails, with what it saw, or "".
func firstFailure(ctx context.Context, sections []report.Section) string {
	for _, section := range sections {
		for _, step := range report.Run(ctx, section, report.Quiet{}).Steps {
			if step.Status == report.Failed {
				return step.Name + ": " + step.Saw
			}
		}
	}
	return ""
}

// checkFrontDoor refuses what the services' names, such as
// user-svc.api.localhost:8080, cannot be made of.
func checkFrontDoor(address string) error {
	host, port, err := net.SplitHostPort(address)
	if number, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || number == 0 || host != "localhost" {
		return fmt.Errorf("--front-door %q: want localhost:PORT, with the port of ko up", address)
	}
	return nil
}

func oneChapter(_ *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return fmt.Errorf("one chapter at a time, or none for all, not %s", strings.Join(args, " "))
	case len(args) == 1 && !slices.Contains(check.Names(), args[0]):
		return fmt.Errorf("there is no chapter %q: there are %s", args[0], strings.Join(check.Names(), ", "))
	}
	return nil
}

// look takes the steps of all sections, shows what becomes of them, and fails if
// one has failed.
func look(cmd *cobra.Command, sections []report.Section, output string) error {
	var show report.Shower = report.NewPrinter(cmd.OutOrStdout())
	switch output {
	case "":
	case "json":
		show = report.Quiet{}
	default:
		return fmt.Errorf("--output %q: want json, or nothing for people", output)
	}
	var results []report.Result
	passed := true
	for _, section := range sections {
		result := report.Run(cmd.Context(), section, show)
		results, passed = append(results, result), passed && result.Passed()
	}
	if cmd.Context().Err() != nil {
		return errSaid
	}
	if output == "json" {
		if err := report.PrintJSON(cmd.OutOrStdout(), results); err != nil {
			return err
		}
	}
	if !passed {
		return errSaid
	}
	return nil
}
