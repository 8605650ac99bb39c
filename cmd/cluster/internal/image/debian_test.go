package image

import (
	"slices"
	"testing"
)

func TestDependencies(t *testing.T) {
	const printed = `postgresql-15
 |Depends: locales
  Depends: locales-all
  Depends: ssl-cert
 |Depends: debconf
  Depends: <debconf-2.0>
    cdebconf
    debconf
  PreDepends: libc6
 |Depends: <virtual>
  Depends: real
  Recommends: sysstat
libc-bin
  Depends: libc6
`
	want := []string{"locales", "ssl-cert", "debconf", "libc6", "real", "libc6"}
	if got := dependencies(printed); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
