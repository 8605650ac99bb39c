package record

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/program"
)

// conditionsOf returns a hash of what a program is compiled with, as far as that can be
// told without looking for its packages: where, by which go tool, with which flags and
// variables. The path of a go tool says little: what is there may choose another one, by
// a link, a directory of its own, or what go.mod says.
func conditionsOf(ctx context.Context, look *Look, recipes []*program.Recipe) (string, error) {
	var all strings.Builder
	for _, recipe := range recipes {
		dir, err := filepath.Abs(recipe.Dir)
		if err != nil {
			return "", err
		}
		args, err := recipe.BuildArgs(ctx)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "%q %q %q %q\n", recipe.ImportPath, dir, recipe.GoTool(ctx).Path, args)
		toolchain, err := look.toolchain(ctx, dir, recipe)
		if err != nil {
			return "", err
		}
		all.WriteString(toolchain)
		vars := recipe.Vars()
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			if bearsOnGo(name) {
				fmt.Fprintf(&all, "%s=%q\n", name, vars[name])
			}
		}
	}
	return hash(all.String()), nil
}

// bearsOnGo reports whether a variable can change what the go tool does. The last ones
// say where its own settings are.
func bearsOnGo(name string) bool {
	switch name {
	case "CC", "CXX", "FC", "AR", "PKG_CONFIG", "HOME", "XDG_CONFIG_HOME", "APPDATA", "USERPROFILE", "GIT_DIR", "GIT_WORK_TREE":
		return true
	}
	return strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "GCCGO")
}
