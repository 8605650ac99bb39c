package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// Digest is the SHA-256 of an executable, in lower-case hexadecimal.
type Digest string

// Valid reports whether d has the form of a digest, and so is safe as the name
// of a file.
func (d Digest) Valid() bool {
	raw, err := hex.DecodeString(string(d))
	return err == nil && len(raw) == sha256.Size && strings.ToLower(string(d)) == string(d)
}

// DigestFile computes the digest of a file.
func DigestFile(path string) (Digest, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return DigestOf(hash), nil
}

// DigestOf returns the digest of what was written to a SHA-256 hash.
func DigestOf(hash hash.Hash) Digest { return Digest(hex.EncodeToString(hash.Sum(nil))) }

// DigestBytes computes the digest of an executable.
func DigestBytes(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(hex.EncodeToString(sum[:]))
}
