package base

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// blobs are manifests and configurations in a directory, where upstream keeps them too:
// the blobs of an OCI layout.
type blobs struct{ dir string }

// cachedBlobs returns those in KOCACHE, or nil if it is not set.
func cachedBlobs() *blobs {
	cache := os.Getenv("KOCACHE")
	if cache == "" {
		return nil
	}
	return &blobs{filepath.Join(cache, "img", "blobs")}
}

// get returns the blob with a hash, and fetches it if it is not there. That it cannot be
// kept costs time only.
func (b *blobs) get(hash v1.Hash, fetch func() ([]byte, error)) ([]byte, error) {
	file := filepath.Join(b.dir, hash.Algorithm, hash.Hex)
	if blob, err := os.ReadFile(file); err == nil && check(blob, hash) == nil {
		return blob, nil
	}
	blob, err := fetch()
	if err == nil {
		err = check(blob, hash)
	}
	if err == nil {
		_ = keep(file, blob)
	}
	return blob, err
}

func check(blob []byte, hash v1.Hash) error {
	got, _, err := v1.SHA256(bytes.NewReader(blob))
	if err == nil && got != hash {
		err = fmt.Errorf("the registry sent %s for %s", got, hash)
	}
	return err
}

// keep writes a file whole or not at all.
func keep(file string, content []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	scratch, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = scratch.Write(content)
	if err = errors.Join(err, scratch.Close()); err == nil {
		err = os.Rename(scratch.Name(), file)
	}
	if err != nil {
		os.Remove(scratch.Name())
	}
	return err
}
