package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/workshop/class"
)

func classDown(flags *genericclioptions.ConfigFlags, name, dir *string) *cobra.Command {
	cmd := &cobra.Command{Use: "down", Short: "Delete the class, with all that attendees have deployed", Args: cobra.NoArgs}
	yes := cmd.Flags().Bool("yes", false, "Do not ask")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cluster, err := class.Connect(flags)
		if err != nil {
			return err
		}
		found, err := cluster.Belongings(cmd.Context(), *name)
		if err != nil {
			return err
		}
		if found.Empty() {
			fmt.Fprintf(cmd.OutOrStdout(), "class %s is not there\n", *name)
			return nil
		}
		if !*yes {
			if err := confirmClass(cmd, found, cluster.Server()); err != nil {
				return err
			}
		}
		log := progress.New(cmd.ErrOrStderr())
		defer log.Close()
		return cluster.Down(cmd.Context(), found, *dir, log)
	}
	return cmd
}

// confirmClass returns an error unless the answer is the name of the class.
func confirmClass(cmd *cobra.Command, found class.Belongings, server string) error {
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "To be deleted from %s, with all that is in it:\n  %s\nType the name of the class, %s, to go on: ",
		server, strings.Join(found.Names(), "\n  "), found.Class)
	line, err := readLine(cmd.Context(), cmd.InOrStdin())
	if err != nil {
		fmt.Fprintln(out)
		return err
	}
	if strings.TrimSpace(line) != found.Class {
		return errors.New("nothing was deleted: to delete without being asked, use --yes")
	}
	return nil
}
