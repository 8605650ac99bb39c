package compile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/koshop/koshop/internal/kit/golist"
	"github.com/koshop/koshop/internal/kit/program"
)

// maxLinks bounds how many links are followed one after the other, as the kernel
// does: links may lead around.
const maxLinks = 40

// addLinks adds what links of a package lead to: its directory, its files, and the
// files of its module.
func (in *Inputs) addLinks(p *golist.Package) {
	within := program.Repository(p.ModuleDir())
	if within == "" {
		within = filepath.Dir(p.ModuleDir())
	}
	if real := in.follow(p.Dir, within); real != p.Dir {
		in.addPackage(real)
	}
	files := p.Files()
	for _, name := range buildFiles {
		files = append(files, filepath.Join(p.ModuleDir(), name))
	}
	for _, file := range files {
		if info, err := os.Lstat(file); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			in.follow(file, within)
		}
	}
}

// follow returns what a path leads to. It adds each link on the way, as far as they
// are below a directory, and what is behind the last: a change of one of them is a
// change of the path.
func (in *Inputs) follow(path, within string) string {
	at := path
	for range maxLinks {
		link, rest := firstLink(at, within)
		if link == "" {
			break
		}
		in.files[link], in.dirs[filepath.Dir(link)] = true, true
		target, err := os.Readlink(link)
		if err != nil {
			break // It has just been removed, which is a change of a watched directory.
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		at = filepath.Join(target, rest)
	}
	if at != path {
		in.addTarget(at)
	}
	return at
}

// firstLink returns the first link on the way from a directory down to a path, and
// the rest of the path behind it.
func firstLink(path, within string) (link, rest string) {
	if !below(path, within) {
		return "", ""
	}
	at := within
	names := strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, within), string(filepath.Separator)), string(filepath.Separator))
	for i, name := range names {
		at = filepath.Join(at, name)
		if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at, filepath.Join(names[i+1:]...)
		}
	}
	return "", ""
}

func below(path, dir string) bool {
	relative, err := filepath.Rel(dir, path)
	return err == nil && relative != "." && filepath.IsLocal(relative)
}
