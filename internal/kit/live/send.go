package live

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// window is the memory in bytes that the container spends on decompression, and
// must fit its limits beside the program.
const window = 8 << 20

// header is the line of JSON before an executable.
type header struct {
	Digest Digest `json:"digest"`
	Size   int64  `json:"size"` // in bytes, before compression
}

// Send writes the executable at path to w in the form that Receive reads: a
// header, and the executable compressed by zstd.
func Send(w io.Writer, path string) error {
	executable, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	hash := sha256.New()
	hash.Write(executable)
	if err := json.NewEncoder(w).Encode(header{Digest: digestOf(hash), Size: int64(len(executable))}); err != nil {
		return err
	}
	compressed, err := zstd.NewWriter(w, zstd.WithWindowSize(window))
	if err != nil {
		return err
	}
	_, err = compressed.Write(executable)
	return errors.Join(err, compressed.Close())
}
