package program_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/program"
)

func TestFindData(t *testing.T) {
	for _, test := range []struct {
		name   string
		links  map[string]string // from name to target
		dir    bool
		linked bool
		err    string
	}{
		{name: "none"},
		{name: "files only", links: map[string]string{"app/kodata/sub/a": ""}, dir: true},
		{name: "link within", links: map[string]string{"app/kodata/a": "", "app/kodata/b": "a"}, dir: true},
		{name: "link within the repository", links: map[string]string{"app/kodata/licence": "../../LICENCE"}, dir: true, linked: true},
		{name: "git's head", links: map[string]string{"app/kodata/HEAD": "../../.git/HEAD"}, dir: true, linked: true},
		{name: "link to a link", links: map[string]string{"app/kodata/a": "b", "app/kodata/b": "../../LICENCE"}, dir: true, linked: true},
		{name: "linked directory", links: map[string]string{"app/kodata/site": "../../site"}, dir: true, linked: true},
		{name: "kodata is a link", links: map[string]string{"app/kodata": "../site"}, dir: true, linked: true},
		{name: "out of the repository", links: map[string]string{"app/kodata/passwd": "/etc/passwd"}, err: "to /etc/passwd: copy"},
		{name: "kodata is out of the repository", links: map[string]string{"app/kodata": "/etc"}, err: "to /etc: copy"},
		{name: "out of it by a linked directory", links: map[string]string{"app/kodata/site": "../../site", "site/etc": "/etc"}, err: "leads outside the repository"},
		{name: "to nothing", links: map[string]string{"app/kodata/a": "nothing"}, err: "leads nowhere"},
		{name: "kodata is a link to nothing", links: map[string]string{"app/kodata": "nothing"}, err: "nothing"},
		{name: "to itself", links: map[string]string{"app/kodata/a": "a"}, err: "leads nowhere"},
		{name: "to its directory", links: map[string]string{"app/kodata/sub/up": ".."}, err: "which it is in: remove it"},
		{name: "around", links: map[string]string{"app/kodata/site": "../../site", "site/app": "../app/kodata"}, err: "which it is in: remove it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{".git/HEAD": "ref\n", "LICENCE": "free\n", "site/index.html": "hi\n", "go.mod": mod("example.com/app"), "app/main.go": main}
			for name, target := range test.links {
				if target == "" {
					files[name] = "content\n"
				}
			}
			dir := write(t, files)
			for name, target := range test.links {
				if target != "" {
					link(t, target, filepath.Join(dir, name))
				}
			}
			data, err := program.FindData(filepath.Join(dir, "app"))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "kodata") {
					t.Errorf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if (data.Dir != "") != test.dir || data.Linked != test.linked {
				t.Errorf("got %+v", data)
			}
		})
	}
}
