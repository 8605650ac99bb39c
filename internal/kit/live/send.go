package live

import (
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
	digest, err := DigestFile(path)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(w).Encode(header{Digest: digest, Size: info.Size()}); err != nil {
		return err
	}
	compressed, err := zstd.NewWriter(w, zstd.WithWindowSize(window))
	if err != nil {
		return err
	}
	_, err = io.Copy(compressed, file)
	return errors.Join(err, compressed.Close())
}
