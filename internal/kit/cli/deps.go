package cli

import (
	"fmt"
	"os"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
)

const depsLong = `This command prints what the executable of a program is made of, one path a line, for a watcher of files such as Tilt's:
the directories of local packages and embedded files, go.mod and go.sum, the same of replaced modules, and .ko.yaml. Packages of Go and of the module
cache, which do not change, are left out.`

const depsExample = `
  # A program is named by its directory or by its import path:
  ko deps ./cmd/payments-svc
  ko deps example.com/shop/cmd/payments-svc`

// addDeps adds the command that prints what a program is made of.
func addDeps(root *cobra.Command) {
	building := &options.BuildOptions{}
	cmd := &cobra.Command{
		Use:     "deps PROGRAM",
		Short:   "Print the files and directories that a program is made of.",
		Long:    depsLong,
		Example: depsExample,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var roots []string
			err := withCompiler(building, func(compiler *compile.Compiler) (err error) {
				roots, err = compiler.Roots(cmd.Context(), args[0])
				return err
			})
			// Last, because who reads may stop: that ends us at once (SIGPIPE).
			for _, root := range roots {
				fmt.Fprintln(cmd.OutOrStdout(), root)
			}
			return err
		},
	}
	root.AddCommand(cmd)
}

// withCompiler lends a compiler for the images' platform.
func withCompiler(building *options.BuildOptions, use func(*compile.Compiler) error) error {
	return withTools(func(tools *process.Group, scratch string) error {
		settings, err := program.Load(building, tools.Run)
		if err != nil {
			return err
		}
		compiler, err := compile.New(settings, tools, scratch).ForImages()
		if err != nil {
			return err
		}
		return use(compiler)
	})
}

// withTools lends a group of processes, which ends with the call, and a directory
// for what they leave behind.
func withTools(use func(tools *process.Group, scratch string) error) (err error) {
	scratch, err := os.MkdirTemp("", "ko-*")
	if err != nil {
		return fmt.Errorf("making a directory to compile in: %w", err)
	}
	defer os.RemoveAll(scratch)
	tools, err := process.NewGroup()
	if err != nil {
		return err
	}
	defer tools.Close()
	return use(tools, scratch)
}
