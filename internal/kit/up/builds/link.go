package builds

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Link gives a file one more name; where the file system has no links, it
// becomes a copy.
func Link(file, name string) error {
	if os.Link(file, name) == nil {
		return nil
	}
	if err := copyFile(file, name); err != nil {
		return fmt.Errorf("keeping an executable: %w", err)
	}
	return nil
}

func copyFile(file, name string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
