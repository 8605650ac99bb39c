package compile

import (
	"path/filepath"
	"slices"
	"strings"
)

// Match reports whether a change of the file, given by absolute path, can
// change the executable, be it that the file was created, written, renamed or
// removed. A directory that is watched matches, too: that is how package watch
// says that anything in it may have changed.
func (in *Inputs) Match(path string) bool {
	switch {
	case in.dirs[path] || in.files[path]:
		return true
	case isScratch(filepath.Base(path)):
		return false
	case in.isBuildFile(path):
		return true
	}
	for _, e := range in.embeds {
		if e.Match(path) {
			return true
		}
	}
	return in.isSource(path)
}

// isScratch matches what editors leave beside the file that is edited. Some of
// it would be embedded for as long as it is there, but it is never meant.
func isScratch(name string) bool {
	switch {
	case name == "4913": // Vim tries out the directory.
	case strings.HasSuffix(name, "~"): // Vim and Emacs keep a backup.
	case strings.HasPrefix(name, ".#"): // Emacs locks the file.
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"): // Emacs saves automatically.
	case strings.HasPrefix(name, ".") && strings.HasPrefix(filepath.Ext(name), ".sw"): // Vim recovers from it.
	case strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"): // GoLand saves by rename.
	default:
		return false
	}
	return true
}

// buildFiles are those of a module or a workspace that say where packages come from.
var buildFiles = []string{"go.mod", "go.sum", "go.work", "go.work.sum"}

// isBuildFile reports whether the file says where packages come from, or how
// they are optimized.
func (in *Inputs) isBuildFile(path string) bool {
	dir, name := filepath.Dir(path), filepath.Base(path)
	switch name {
	case "modules.txt":
		return in.dirs[dir] && filepath.Base(dir) == "vendor"
	case "default.pgo":
		return dir == in.Dir
	}
	return in.dirs[dir] && slices.Contains(buildFiles, name)
}

// isSource reports whether the go tool would compile a file that it did not
// before, which its name and its build constraints decide. One that cannot be
// read does not compile; one that is gone may have been compiled for a moment.
func (in *Inputs) isSource(path string) bool {
	dir, name := filepath.Split(path)
	if !in.packages[filepath.Clean(dir)] || strings.HasSuffix(name, "_test.go") {
		return false
	}
	match, err := in.platform.MatchFile(dir, name)
	return match || err != nil
}
