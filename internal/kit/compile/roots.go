package compile

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Roots returns what a watcher of the program that a reference names has to follow:
// the roots of its inputs, and the files with its settings. Those below the working
// directory are relative to it.
func (c *Compiler) Roots(ctx context.Context, reference string) ([]string, error) {
	inputs, err := c.Inputs(ctx, reference)
	if err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("looking for the working directory: %w", err)
	}
	roots := inputs.Roots()
	for _, file := range c.settings.Files() {
		if _, err := os.Stat(file); err == nil {
			roots = append(roots, file)
		}
	}
	for i, root := range roots {
		if relative, err := filepath.Rel(here, root); err == nil && filepath.IsLocal(relative) {
			roots[i] = relative
		}
	}
	return roots, nil
}

// Roots returns the paths to give to a watcher that follows directories all the
// way down, such as Tilt's: the directories of packages and of embedded files,
// and of the other directories only the files that count.
func (in *Inputs) Roots() []string {
	roots := map[string]bool{}
	whole := maps.Clone(in.packages)
	for _, e := range in.embeds {
		for _, dir := range e.Dirs() {
			whole[dir] = true
		}
	}
	for dir := range in.dirs {
		if whole[dir] {
			roots[dir] = true
			continue
		}
		for _, name := range append([]string{filepath.Join("vendor", "modules.txt")}, buildFiles...) {
			if file := filepath.Join(dir, name); isFile(file) {
				roots[file] = true
			}
		}
	}
	for file := range in.targets {
		if !whole[filepath.Dir(file)] && isFile(file) {
			roots[file] = true
		}
	}
	return slices.Sorted(maps.Keys(roots))
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}
