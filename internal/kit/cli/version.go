package cli

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/google/ko/pkg/commands"
	"github.com/spf13/cobra"
)

const (
	upstreamModule = "github.com/google/ko"
	ourModule      = "github.com/koshop/koshop"
)

// extendVersion names both programs: upstream's version on the first line, as
// upstream prints it, and ours on the second.
func extendVersion(root *cobra.Command) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	// What upstream takes its own version from is the main module of a program,
	// which here is ours. The version is also in SBOMs and user agents. A
	// packager may have set it by -ldflags=-X.
	commands.Version = cmp.Or(commands.Version, upstreamVersion(info))
	cmd := command(root, "version")
	cmd.Short = "Print the version of upstream ko, and of koshop's."
	upstream := cmd.Run
	cmd.Run = func(cmd *cobra.Command, args []string) {
		upstream(cmd, args)
		fmt.Fprintln(cmd.OutOrStdout(), "koshop "+ourVersion(info))
	}
}

// upstreamVersion returns the version of upstream that this program is made
// with, such as v0.19.1, or "" where that is not known, as in tests.
func upstreamVersion(info *debug.BuildInfo) string {
	for _, dep := range info.Deps {
		if dep.Path == upstreamModule {
			return moduleVersion(dep)
		}
	}
	return ""
}

// ourVersion returns the version of this module: a release, or "devel" and the
// commit, as far as they are known.
func ourVersion(info *debug.BuildInfo) string {
	for _, module := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if version := moduleVersion(module); module.Path == ourModule && version != "" && version != "(devel)" {
			return version
		}
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	version := "devel"
	if revision := settings["vcs.revision"]; revision != "" {
		version += " " + revision[:min(12, len(revision))]
	}
	if settings["vcs.modified"] == "true" {
		version += ", modified"
	}
	return version
}

// moduleVersion returns the version of what a module is made of.
func moduleVersion(module *debug.Module) string {
	if module.Replace != nil {
		return cmp.Or(module.Replace.Version, "(devel)") // A directory has no version.
	}
	return module.Version
}
