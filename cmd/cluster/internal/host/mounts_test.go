package host

import (
	"slices"
	"testing"
)

func TestMountsBelow(t *testing.T) {
	const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
90 22 0:40 / /srv/c rw - tmpfs tmpfs rw
91 90 0:41 / /srv/c/pods/a\040b rw shared:1 - tmpfs tmpfs rw
92 22 0:42 / /srv/cluster rw - tmpfs tmpfs rw
93 91 0:43 / /srv/c/pods/a\040b/x rw - tmpfs tmpfs rw
short line
`
	want := []string{"/srv/c/pods/a b/x", "/srv/c/pods/a b"}
	if got := mountsBelow("/srv/c/", mountinfo); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
