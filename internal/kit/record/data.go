package record

import (
	"context"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/program"
)

// findData adds the files of kodata.
func (f *finder) findData(context.Context) error {
	data, err := program.FindData(f.packages.Command().Dir)
	if err != nil || data.Dir == "" {
		return err
	}
	return f.addTree(data.Dir, "kodata")
}

// addTree adds a directory. Links in it are followed, as they are when an image is made;
// that none leads to where it is in was looked at before.
func (f *finder) addTree(dir, name string) error {
	f.snapshot.note(f.look, names, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	f.add(Data, name+"/", "") // An empty directory is in the image too.
	for _, entry := range entries {
		path, name := filepath.Join(dir, entry.Name()), name+"/"+entry.Name()
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = f.addTree(path, name)
		default:
			f.addFile(Data, name, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
