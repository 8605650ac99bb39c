// Package cli puts the kit's stages behind upstream ko's command line. Every
// command of upstream is upstream's own; apply, create, resolve and delete gain
// -k, and only a call with -k takes another path than upstream's. The commands
// up, reload and deps are new.
package cli

import (
	"io"
	"log"

	"github.com/google/go-containerregistry/pkg/logs"
	"github.com/google/ko/pkg/commands"
	"github.com/spf13/cobra"
)

// New returns the ko command for these arguments (without the program's name).
func New(args []string) *cobra.Command {
	root := commands.New()
	root.Short = "Rapidly iterate with Go, Containers, Kustomize, and Kubernetes."
	root.SetArgs(args)
	extendApply(root)
	extendCreate(root)
	extendResolve(root)
	extendBuild(root)
	extendDelete(root, args)
	extendVersion(root)
	addUp(root)
	addReload(root)
	addInject(root)
	addDeps(root)
	addDiff(root)
	return root
}

// silence drops the progress lines of upstream's libraries.
func silence() {
	log.SetOutput(io.Discard)
	logs.Progress.SetOutput(io.Discard)
}

// command finds one of upstream's commands.
func command(root *cobra.Command, name string) *cobra.Command {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			return cmd
		}
	}
	// Only a new version of upstream could cause this, and every test would.
	panic("upstream ko has no command " + name)
}
