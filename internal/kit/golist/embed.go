package golist

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Embed is one pattern of a //go:embed directive, with the rules of package
// embed: a pattern may name directories, and what is below those belongs to it
// except hidden files, unless it begins with "all:".
type Embed struct {
	root    string // the package's directory
	pattern []string
	all     bool
}

// NewEmbed returns a pattern of the package in the directory root, which is absolute.
func NewEmbed(root, pattern string) Embed {
	pattern, all := strings.CutPrefix(pattern, "all:")
	return Embed{root, strings.Split(pattern, "/"), all}
}

// Dirs lists the directories in which a file can come to match: those that the
// pattern leads through, whether they exist or not, and all below what it names.
func (e Embed) Dirs() []string {
	var dirs []string
	for n := 1; n < len(e.pattern); n++ {
		dirs = append(dirs, slices.DeleteFunc(e.glob(n), isFile)...)
	}
	for _, top := range e.glob(len(e.pattern)) {
		dirs = append(dirs, e.tree(top)...)
	}
	return dirs
}

// glob returns what the first n elements of the pattern name, and a plain name
// whether it exists or not.
func (e Embed) glob(n int) []string {
	pattern := path.Join(e.pattern[:n]...)
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{filepath.Join(e.root, filepath.FromSlash(pattern))}
	}
	matches, _ := fs.Glob(os.DirFS(e.root), pattern) // The only error is a bad pattern, which matches nothing.
	for i, match := range matches {
		matches[i] = filepath.Join(e.root, filepath.FromSlash(match))
	}
	return matches
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// tree lists the directories from top down that can hold embedded files, none
// if top is a file. What cannot be read now is found when it changes.
func (e Embed) tree(top string) []string {
	var dirs []string
	_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return nil
		case path != top && e.skips(entry.Name()):
			return fs.SkipDir
		}
		dirs = append(dirs, path)
		return nil
	})
	return dirs
}

// skips reports whether a name below an embedded directory is left out.
func (e Embed) skips(name string) bool {
	return !e.all && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"))
}

// Match reports whether a file belongs to the pattern, or whether it is a
// directory in which such a file may already be.
func (e Embed) Match(file string) bool {
	rel, err := filepath.Rel(e.root, file)
	if err != nil || !filepath.IsLocal(rel) {
		return false
	}
	elements := strings.Split(filepath.ToSlash(rel), "/")
	n := min(len(elements), len(e.pattern))
	if ok, _ := path.Match(path.Join(e.pattern[:n]...), path.Join(elements[:n]...)); !ok {
		return false
	}
	if len(elements) < len(e.pattern) {
		info, err := os.Stat(file)
		return err == nil && info.IsDir()
	}
	for _, name := range elements[n:] {
		if e.skips(name) {
			return false
		}
	}
	return true
}
