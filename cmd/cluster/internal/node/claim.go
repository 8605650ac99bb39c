package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// markerFile is in every directory that is a node's: `down` empties no other.
func (n *Node) markerFile() string { return n.path(".koshop-cluster") }

// claim makes the directory this node's, unless somebody else keeps files there.
func (n *Node) claim() error {
	if claimed, err := n.claimed(); claimed || err != nil {
		return err
	}
	if err := os.MkdirAll(n.Dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(n.Dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s holds other files, such as %s: give a directory by --dir that is empty or not there yet", n.Dir, entries[0].Name())
	}
	return os.WriteFile(n.markerFile(), []byte("`cluster down` empties this directory.\n"), 0o644)
}

// claimed reports whether the directory is a node's.
func (n *Node) claimed() (bool, error) {
	_, err := os.Stat(n.markerFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
