package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/koshop/koshop/internal/kit/render"
)

// Names of the flags that `kubectl kustomize` has too, with the same meaning.
const (
	enableHelmFlag   = "enable-helm"
	helmCommandFlag  = "helm-command"
	loadRestrictFlag = "load-restrictor"
)

// addRenderFlags adds the flags of `kubectl kustomize` that change what a
// kustomization is rendered to.
func addRenderFlags(flags *pflag.FlagSet) {
	flags.Bool(enableHelmFlag, false, "Inflate the helmCharts of the kustomization with the program helm")
	flags.String(helmCommandFlag, "helm", "The program that --enable-helm runs: a name on PATH, or a path")
	restrictor := restrictRoot
	flags.Var(&restrictor, loadRestrictFlag, "LoadRestrictionsNone lets the kustomization load files from outside its directory")
}

// checkRenderFlags refuses those flags where there is no kustomization.
func checkRenderFlags(flags *pflag.FlagSet) error {
	for _, name := range []string{enableHelmFlag, helmCommandFlag, loadRestrictFlag} {
		if flags.Changed(name) {
			return fmt.Errorf("--%s goes with -k", name)
		}
	}
	return nil
}

// renderOptions returns what the flags ask of a kustomization; --namespace may
// stand before or behind "--".
func renderOptions(cmd *cobra.Command) (render.Options, error) {
	opts := render.Options{Namespace: cmd.Flag("namespace").Value.String()}
	opts.AnyFile = cmd.Flag(loadRestrictFlag).Value.String() == string(restrictNone)
	helm := cmd.Flag(helmCommandFlag)
	if helm.Value.String() == "" {
		return opts, errors.New("--helm-command needs the name or the path of a program")
	}
	if enabled, _ := cmd.Flags().GetBool(enableHelmFlag); enabled {
		opts.Helm = helm.Value.String()
	} else if helm.Changed {
		return opts, errors.New("--helm-command goes with --enable-helm")
	}
	return opts, nil
}

// loadRestrictor is the value of --load-restrictor.
type loadRestrictor string

const (
	restrictRoot loadRestrictor = "LoadRestrictionsRootOnly"
	restrictNone loadRestrictor = "LoadRestrictionsNone"
)

func (l *loadRestrictor) Set(text string) error {
	value := loadRestrictor(text)
	if value != restrictRoot && value != restrictNone {
		return fmt.Errorf("expected %s or %s", restrictRoot, restrictNone)
	}
	*l = value
	return nil
}

func (l *loadRestrictor) String() string { return string(*l) }

func (l *loadRestrictor) Type() string { return "string" }
