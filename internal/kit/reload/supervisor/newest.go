//go:build unix

package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// newest returns the history of a pod that is new: it begins with the newest version of
// its program, if that replaces the executable of its image. A newer image comes with
// its own.
func (s *Supervisor) newest() (history, error) {
	record, body, err := wire.Join(func(key string) ([]byte, error) { return os.ReadFile(filepath.Join(s.Newest, key)) })
	if errors.Is(err, fs.ErrNotExist) {
		return history{}, nil
	}
	if err != nil {
		return history{}, fmt.Errorf("reading the newest version: %w", err)
	}
	if record.Image != s.store.image || record.Executable == s.store.image {
		return history{}, nil
	}
	open, _, err := s.store.bases()
	if err != nil {
		return history{}, err
	}
	defer open.close()
	if err := s.store.unpack(record.Header, open, bytes.NewReader(body)); err != nil {
		return history{}, fmt.Errorf("unpacking the newest version: %w", err)
	}
	build := wire.Build{Executable: record.Executable}
	if err := s.fits(build); err != nil {
		return history{}, err
	}
	return history{}.tries(build), nil
}
