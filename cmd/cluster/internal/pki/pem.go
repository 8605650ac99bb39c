package pki

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// SigningKey returns path, where a private key that signs service-account tokens is kept,
// after creating it on first use.
func SigningKey(path string) (string, error) {
	if _, err := readKey(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	key, err := newKey()
	if err != nil {
		return "", err
	}
	return path, writeKey(path, key)
}

func readPair(certFile, keyFile string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	data, err := readBlock(certFile, "CERTIFICATE")
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", certFile, err)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, nil, err
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, nil, fmt.Errorf("%s is not the key of %s", keyFile, certFile)
	}
	return cert, key, nil
}

// writePair writes the key first: a certificate without its key is never there.
func writePair(certFile, keyFile string, cert *x509.Certificate, key *ecdsa.PrivateKey) error {
	if err := os.Remove(certFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeKey(keyFile, key); err != nil {
		return err
	}
	return writeBlock(certFile, "CERTIFICATE", cert.Raw, 0o644)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := readBlock(path, "EC PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	data, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writeBlock(path, "EC PRIVATE KEY", data, 0o600)
}

func readBlock(path, kind string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s holds no %s in PEM: remove it and it is made anew", path, kind)
	}
	return block.Bytes, nil
}

func writeBlock(path, kind string, data []byte, mode fs.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), mode)
}
