package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"time"
)

// Request says whom a certificate is for.
type Request struct {
	// Name is the base name of the files: <Name>.crt and <Name>.key.
	Name string
	// User is the common name: the Kubernetes user a client authenticates as.
	User string
	// Groups are the organizations: the user's Kubernetes groups.
	Groups []string
	// Hosts are the IP addresses and DNS names a server answers to; none makes a
	// certificate for clients only.
	Hosts []string
}

// Pair is where a certificate and its key are.
type Pair struct {
	CertFile, KeyFile string
}

// Issue returns the files of a certificate for r in dir. One that is there already is
// kept while it fits: same subject and hosts, signed by a, not about to expire.
func (a *Authority) Issue(dir string, r Request) (Pair, error) {
	pair := Pair{filepath.Join(dir, r.Name+".crt"), filepath.Join(dir, r.Name+".key")}
	cert, _, err := readPair(pair.CertFile, pair.KeyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Pair{}, fmt.Errorf("loading the certificate of %s: %w", r.Name, err)
	}
	if err == nil && a.fits(cert, r) {
		return pair, nil
	}
	if err := a.issue(pair, r); err != nil {
		return Pair{}, fmt.Errorf("issuing the certificate of %s: %w", r.Name, err)
	}
	return pair, nil
}

func (a *Authority) issue(pair Pair, r Request) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	template, err := newTemplate(pkix.Name{CommonName: r.User, Organization: r.Groups}, certificateLifetime)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(r.Hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	template.DNSNames, template.IPAddresses = splitHosts(r.Hosts)
	cert, err := sign(template, a.cert, key, a.key)
	if err != nil {
		return err
	}
	return writePair(pair.CertFile, pair.KeyFile, cert, key)
}

func (a *Authority) fits(cert *x509.Certificate, r Request) bool {
	names, addresses := splitHosts(r.Hosts)
	return cert.CheckSignatureFrom(a.cert) == nil &&
		time.Until(cert.NotAfter) > renewBefore &&
		cert.Subject.CommonName == r.User &&
		slices.Equal(cert.Subject.Organization, r.Groups) &&
		slices.Equal(cert.DNSNames, names) &&
		slices.EqualFunc(cert.IPAddresses, addresses, net.IP.Equal)
}

func splitHosts(hosts []string) (names []string, addresses []net.IP) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, host)
		}
	}
	return names, addresses
}
