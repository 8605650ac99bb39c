package state

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/workload"
)

// secretBytes is how much chance there is in a value that is made here.
const secretBytes = 24

// Secret returns the value of a Secret's key that the manifests do not have. It is
// kept with the volumes, whose databases know it: once it was that of our own
// variable, or else one that was made at random.
func (s *Dir) Secret(k workload.SecretKey) (string, error) {
	for _, element := range []string{k.Namespace, k.Secret, k.Key} {
		if !filepath.IsLocal(element) || filepath.Base(element) != element {
			return "", fmt.Errorf("%q cannot be a file's name", element)
		}
	}
	dir := filepath.Join(s.path, "secrets", k.Namespace, k.Secret)
	kept, err := os.ReadFile(filepath.Join(dir, k.Key))
	if !errors.Is(err, fs.ErrNotExist) {
		return string(kept), err
	}
	value := newSecret()
	for _, name := range k.Variables {
		if own, found := os.LookupEnv(name); found {
			value = own
			break
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return value, replace(filepath.Join(dir, k.Key), value)
}

func newSecret() string {
	random := make([]byte, secretBytes)
	rand.Read(random) // It never fails.
	return base64.RawURLEncoding.EncodeToString(random)
}

// replace writes a file that only we can read, as a whole or not at all.
func replace(path, content string) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) // Without effect once it is renamed.
	_, err = fresh.WriteString(content)
	if err := errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), path)
}
