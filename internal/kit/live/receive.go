//go:build unix

package live

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxExecutable bounds in bytes what a sender can make the container store.
	maxExecutable = 512 << 20
	// maxHeader bounds in bytes the line before an executable.
	maxHeader = 4 << 10
)

// Receive reads an executable from r into the supervisor's directory, and
// returns once the supervisor runs it. Nothing changes unless all of it arrives
// as it was sent.
func Receive(r io.Reader, dir string) error {
	digest, err := receive(r, dir)
	if err != nil {
		return fmt.Errorf("receiving an executable: %w", err)
	}
	return ask(dir, digest)
}

func receive(r io.Reader, dir string) (Digest, error) {
	in := bufio.NewReaderSize(r, maxHeader)
	line, err := in.ReadSlice('\n')
	var head header
	if err == nil {
		err = json.Unmarshal(line, &head)
	}
	if err != nil {
		return "", fmt.Errorf("reading its header: %w", err)
	}
	if !head.Digest.Valid() || head.Size <= 0 || head.Size > maxExecutable {
		return "", fmt.Errorf("its header is wrong: %s", line)
	}
	compressed, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(window), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return "", err
	}
	defer compressed.Close()
	return head.Digest, head.store(compressed, dir)
}

// store writes an executable under its digest, all or nothing.
func (h header) store(r io.Reader, dir string) (err error) {
	file, err := os.CreateTemp(dir, "incoming-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // In vain once it has been renamed.
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(r, h.Size+1))
	err = errors.Join(err, file.Chmod(0o755), file.Close())
	switch {
	case err != nil:
		return err
	case n != h.Size:
		return fmt.Errorf("it has %d bytes, expected %d", n, h.Size)
	case digestOf(hash) != h.Digest:
		return errors.New("it does not have the digest that was announced")
	}
	s := store{dir: dir}
	return os.Rename(file.Name(), s.path(h.Digest))
}
