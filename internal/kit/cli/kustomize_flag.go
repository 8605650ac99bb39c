package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// directoryFlag is the value of -k. It refuses a second value: pflag would let
// the last one win, and half of what was asked for would be missing.
type directoryFlag struct {
	dir string
	set bool
}

// addDirectoryFlag adds -k to the flags.
func addDirectoryFlag(flags *pflag.FlagSet, usage string) *directoryFlag {
	d := &directoryFlag{}
	flags.VarP(d, "kustomize", "k", usage)
	return d
}

func (d *directoryFlag) Set(dir string) error {
	switch {
	case d.set:
		return fmt.Errorf("-k was given twice: %s and %s; run the command once for each, or write a kustomization that has both as resources", d.dir, dir)
	case dir == "":
		return errors.New("-k needs the directory of a kustomization")
	}
	d.dir, d.set = dir, true
	return nil
}

func (d *directoryFlag) String() string { return d.dir }

func (d *directoryFlag) Type() string { return "string" }
