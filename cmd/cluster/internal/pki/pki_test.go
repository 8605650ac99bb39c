package pki

import (
	"crypto/x509"
	"os"
	"testing"
)

func newAuthority(t *testing.T) (*Authority, string) {
	t.Helper()
	dir := t.TempDir()
	a, err := LoadOrCreateAuthority(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	return a, dir
}

func issue(t *testing.T, a *Authority, dir string, r Request) *x509.Certificate {
	t.Helper()
	pair, err := a.Issue(dir, r)
	if err != nil {
		t.Fatal(err)
	}
	cert, _, err := readPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestIssueServerCertificate(t *testing.T) {
	a, dir := newAuthority(t)
	cert := issue(t, a, dir, Request{Name: "api", User: "api", Hosts: []string{"192.0.2.7", "kubernetes"}})

	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for _, host := range []string{"192.0.2.7", "kubernetes"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("verifying for %s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "192.0.2.8"}); err == nil {
		t.Error("verified for an address it was not issued for")
	}
}

func TestIssueClientCertificateIsNoServerCertificate(t *testing.T) {
	a, dir := newAuthority(t)
	cert := issue(t, a, dir, Request{Name: "admin", User: "admin", Groups: []string{"system:masters"}})

	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	options := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := cert.Verify(options); err != nil {
		t.Errorf("verifying as a client: %v", err)
	}
	options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if _, err := cert.Verify(options); err == nil {
		t.Error("verified as a server")
	}
}

func TestIssueKeepsWhatFitsAndRenewsWhatDoesNot(t *testing.T) {
	a, dir := newAuthority(t)
	request := Request{Name: "api", User: "api", Groups: []string{"g"}, Hosts: []string{"192.0.2.7"}}
	first := issue(t, a, dir, request)

	again, err := LoadOrCreateAuthority(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	if !issue(t, again, dir, request).Equal(first) {
		t.Error("a certificate that fits was issued anew")
	}
	request.Hosts = []string{"192.0.2.9"}
	if issue(t, a, dir, request).Equal(first) {
		t.Error("a certificate for another address was kept")
	}
	other, _ := newAuthority(t)
	second := issue(t, a, dir, request)
	if issue(t, other, dir, request).Equal(second) {
		t.Error("a certificate of another authority was kept")
	}
}

func TestPrivateKeysAreForRootOnly(t *testing.T) {
	a, dir := newAuthority(t)
	signing, err := SigningKey(dir + "/sa.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{a.KeyFile, signing} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode().Perm())
		}
	}
}
