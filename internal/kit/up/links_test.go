//go:build unix

package up_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/koshop/koshop/internal/kit/up"
)

// A source file that is a link is watched where it leads: through another link, when
// the target is written, replaced by rename, or when a link is made to lead elsewhere.
func TestReloadsWhatLinksLeadTo(t *testing.T) {
	dir := newShop(t)
	for _, err := range []error{
		os.Mkdir("shared", 0o755), os.Mkdir("links", 0o755), os.Mkdir("other", 0o755),
		os.Rename("greeting/greeting.go", "shared/one.go"),
		os.Symlink("../shared", "links/shared"),
		os.Symlink("shared/one.go", "links/greeting.go"),
		os.Symlink("../links/greeting.go", "greeting/greeting.go"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d/", r.port)
	r.answers(front, "v1one")
	r.replace("shared/one.go", "v1", "v2")
	r.answers(front, "v2one")
	one, err := os.ReadFile("shared/one.go")
	if err != nil {
		t.Fatal(err)
	}
	r.write("shared/new", string(one))
	r.replace("shared/new", "v2", "v3")
	if err := os.Rename("shared/new", "shared/one.go"); err != nil {
		t.Fatal(err)
	}
	r.answers(front, "v3one")
	r.write("other/one.go", string(one))
	r.replace("other/one.go", "v2", "v4")
	if err := os.Symlink("../other", "links/new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("links/new", "links/shared"); err != nil {
		t.Fatal(err)
	}
	r.answers(front, "v4one")
}
