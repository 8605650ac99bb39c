package compile

import (
	"maps"
	"path/filepath"
	"slices"
)

// Roots returns the paths to give to a watcher that follows directories all the
// way down, such as Tilt's: the directories of packages and of embedded files,
// and of the other directories only the files that count.
func (in *Inputs) Roots() []string {
	roots := map[string]bool{}
	whole := maps.Clone(in.packages)
	for _, e := range in.embeds {
		for _, dir := range e.dirs() {
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
