package image

import (
	"fmt"
	"io/fs"
	"os"
)

// CertificatesFile is where this machine keeps the certificates it trusts.
const CertificatesFile = "/etc/ssl/certs/ca-certificates.crt"

// NonRoot is the user and group id of static:nonroot, as everybody's distroless images have it.
const NonRoot = 65532

// StaticEntries are what a static, non-root program expects to find: certificates, users,
// a place for temporary files.
func StaticEntries() ([]Entry, error) {
	certificates, err := os.ReadFile(CertificatesFile)
	if err != nil {
		return nil, fmt.Errorf("%w: install the package ca-certificates", err)
	}
	home := Directory("home/nonroot", 0o700)
	home.Owner = NonRoot
	return []Entry{
		Directory("etc", 0o755),
		Directory("etc/ssl", 0o755),
		Directory("etc/ssl/certs", 0o755),
		Text(CertificatesFile[1:], string(certificates)),
		Text("etc/passwd", fmt.Sprintf("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:%d:%[1]d:nonroot:/home/nonroot:/sbin/nologin\n", NonRoot)),
		Text("etc/group", fmt.Sprintf("root:x:0:\nnonroot:x:%d:\n", NonRoot)),
		Text("etc/nsswitch.conf", "hosts: files dns\n"),
		Directory("home", 0o755),
		home,
		Directory("root", 0o700),
		Directory("tmp", 0o777|fs.ModeSticky),
	}, nil
}
