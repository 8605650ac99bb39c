// Package pki issues the certificates and keys of a throw-away cluster and keeps them in
// plain PEM files: an authority once, its certificates again whenever they no longer fit.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"time"
)

const (
	authorityLifetime   = 10 * 365 * 24 * time.Hour
	certificateLifetime = 365 * 24 * time.Hour
	renewBefore         = 30 * 24 * time.Hour
	clockSkew           = 5 * time.Minute
)

// Authority signs certificates. Its key and certificate are <name>.key and <name>.crt.
type Authority struct {
	// CertFile is the path of the PEM certificate that verifies what the authority signs.
	CertFile string
	// KeyFile is the path of the PEM private key, readable by root only.
	KeyFile string

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// LoadOrCreateAuthority returns the authority kept as name in dir, created on first use.
func LoadOrCreateAuthority(dir, name string) (*Authority, error) {
	a := &Authority{
		CertFile: filepath.Join(dir, name+".crt"),
		KeyFile:  filepath.Join(dir, name+".key"),
	}
	var err error
	if a.cert, a.key, err = readPair(a.CertFile, a.KeyFile); err == nil {
		return a, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("loading the authority %s: %w", name, err)
	}
	if err := a.create(name); err != nil {
		return nil, fmt.Errorf("creating the authority %s: %w", name, err)
	}
	return a, nil
}

func (a *Authority) create(name string) (err error) {
	if a.key, err = newKey(); err != nil {
		return err
	}
	template, err := newTemplate(pkix.Name{CommonName: "koshop " + name}, authorityLifetime)
	if err != nil {
		return err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	if a.cert, err = sign(template, template, a.key, a.key); err != nil {
		return err
	}
	return writePair(a.CertFile, a.KeyFile, a.cert, a.key)
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func newTemplate(subject pkix.Name, lifetime time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(lifetime),
	}, nil
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
