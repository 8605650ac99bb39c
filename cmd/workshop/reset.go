package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/reset"
)

func resetCommand() *cobra.Command {
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Remove from a cluster what the workshop made there",
		Long: `Remove from a cluster what the workshop made there: the shop in --namespace, all
previews and all classes, whatever attendees have deployed there, their data and
kubeconfigs included, and this laptop's intercepts. A namespace of the shop or of
a preview stays, and is named, if it was there before or if others have workloads
or volumes in it.`,
		Args: cobra.NoArgs,
	}
	connection := connectionFlags(cmd)
	dir := cmd.Flags().String("dir", ".class", "the directory of the attendees' kubeconfigs")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would be removed")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := cluster.Connect(connection)
		if err != nil {
			return err
		}
		plan, err := reset.Make(cmd.Context(), c)
		if err != nil {
			return err
		}
		show(cmd, c, plan)
		if dryRun || plan.Empty() {
			return nil
		}
		if err := confirm(cmd, yes); err != nil {
			return err
		}
		log := progress.New(cmd.ErrOrStderr())
		defer log.Close()
		return plan.Remove(cmd.Context(), *dir, log)
	}
	return cmd
}

func show(cmd *cobra.Command, c *cluster.Shop, plan reset.Plan) {
	out := cmd.OutOrStdout()
	if plan.Empty() {
		fmt.Fprintf(out, "%s has nothing of the workshop to remove\n", c.Config.Host)
	} else {
		fmt.Fprintf(out, "To be removed from %s, with all that is in it:\n  %s\n", c.Config.Host, strings.Join(plan.Lines(), "\n  "))
	}
	for _, kept := range plan.Kept {
		fmt.Fprintf(out, "Stays: %s\n", kept)
	}
}

// confirm asks a person.
func confirm(cmd *cobra.Command, yes bool) error {
	if yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return errors.New("nobody is there to be asked: pass --yes to remove it all, or --dry-run to look only")
	}
	fmt.Fprint(cmd.OutOrStdout(), "Remove it all? [y/N] ")
	answer, err := readLine(cmd.Context(), os.Stdin)
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was removed")
	}
	return nil
}
