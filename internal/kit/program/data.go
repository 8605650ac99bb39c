package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dataDir is the name of the directory, in that of the main package.
const dataDir = "kodata"

// Data is the kodata directory of a program
// (https://ko.build/features/static-assets/).
type Data struct {
	// Dir is the directory, absolute; "" if the program has none.
	Dir string
	// Linked tells that links lead to files of the repository outside Dir, or that
	// Dir is a link itself. Upstream does not put such files into an image.
	Linked bool
}

// FindData returns the data of the program whose main package is in a directory.
// It fails if a link in it leads out of the repository, which would bring files of
// this machine into an image, or to nothing, or back to where it came from.
func FindData(mainDir string) (Data, error) {
	dir := filepath.Join(mainDir, dataDir)
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Data{}, nil
	case err != nil:
		return Data{}, fmt.Errorf("looking for kodata: %w", err)
	case !info.IsDir() && info.Mode()&fs.ModeSymlink == 0:
		return Data{}, nil // Upstream takes no notice of a file either.
	}
	w := &dataWalk{within: boundary(mainDir)}
	if w.root, err = filepath.EvalSymlinks(dir); err != nil {
		return Data{}, fmt.Errorf("following the link %s: %w", dir, err)
	}
	if info, err := os.Stat(w.root); err == nil && !info.IsDir() {
		return Data{}, fmt.Errorf("kodata: the link %s leads to a file, %s: it must lead to a directory", dir, w.root)
	}
	w.linked = info.Mode()&fs.ModeSymlink != 0
	if err := w.check(dir, w.root); err != nil {
		return Data{}, err
	}
	return Data{Dir: dir, Linked: w.linked}, w.walk(w.root, nil)
}

// boundary returns the directory that links may not leave: the repository, or
// the module where there is none.
func boundary(mainDir string) string {
	within := Repository(mainDir)
	if within == "" {
		if m, found, err := moduleAt(mainDir); err == nil && found {
			within = m.dir
		}
	}
	if real, err := filepath.EvalSymlinks(within); err == nil {
		return real
	}
	return mainDir
}

// dataWalk looks at all that a kodata directory holds, links followed.
type dataWalk struct {
	within string
	root   string // without links
	linked bool
}

// walk looks below a directory. Its ancestors are those that were walked on the
// way, so that a link to one of them is found.
func (w *dataWalk) walk(dir string, ancestors []string) error {
	ancestors = append(ancestors, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading kodata: %w", err)
	}
	for _, entry := range entries {
		at := filepath.Join(dir, entry.Name())
		switch {
		case entry.IsDir():
			err = w.walk(at, ancestors)
		case entry.Type()&fs.ModeSymlink != 0:
			err = w.follow(at, ancestors)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *dataWalk) follow(link string, ancestors []string) error {
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return fmt.Errorf("kodata: the link %s leads nowhere: %w", link, err)
	}
	if err := w.check(link, target); err != nil {
		return err
	}
	w.linked = w.linked || !isBelow(target, w.root)
	info, err := os.Stat(target)
	if err != nil || !info.IsDir() {
		return err
	}
	for _, ancestor := range ancestors {
		if ancestor == target {
			return fmt.Errorf("kodata: the link %s leads to %s, which it is in: remove it", link, target)
		}
	}
	return w.walk(target, ancestors)
}

// check refuses a target outside the repository.
func (w *dataWalk) check(link, target string) error {
	if isBelow(target, w.within) {
		return nil
	}
	return fmt.Errorf("kodata: the link %s leads outside the repository %s, to %s: copy what is needed into the repository", link, w.within, target)
}

func isBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
