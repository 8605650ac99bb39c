package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The name of a set depends on the module and the directory in it, and on nothing else.
func TestSetName(t *testing.T) {
	write := func(dir, module string) string {
		t.Helper()
		for name, text := range map[string]string{"go.mod": "module " + module + "\n", "deploy/overlays/dev/x": "", "more/overlays/dev/x": ""} {
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	here, there, fork := write(t.TempDir(), "example.com/shop"), write(t.TempDir(), "example.com/shop"), write(t.TempDir(), "example.com/fork")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(here, link); err != nil {
		t.Fatal(err)
	}
	const dev = "deploy/overlays/dev"
	want := name(t, filepath.Join(here, dev))
	if !regexp.MustCompile(`^ko-dev-[0-9a-f]{10}$`).MatchString(want) {
		t.Errorf("the name is %q", want)
	}
	for _, same := range []string{filepath.Join(there, dev), filepath.Join(link, dev), filepath.Join(here, dev) + "/", filepath.Join(here, dev, "..") + "/dev"} {
		if got := name(t, same); got != want {
			t.Errorf("%s: %q, want %q", same, got, want)
		}
	}
	t.Chdir(filepath.Join(here, dev))
	if got := name(t, "."); got != want {
		t.Errorf("of the working directory: %q, want %q", got, want)
	}
	for _, other := range []string{filepath.Join(here, "more/overlays/dev"), filepath.Join(fork, dev), here, "https://example.com/shop//deploy/overlays/dev"} {
		if got := name(t, other); got == want || got == "" {
			t.Errorf("%s: %q", other, got)
		}
	}
}

// name is that of the set of a directory.
func name(t *testing.T, dir string) string {
	t.Helper()
	name, err := setName(dir)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// A remote kustomization is the same in another version.
func TestSetNameOfARemoteKustomization(t *testing.T) {
	const url = "https://example.com/shop//deploy/overlays/dev"
	want := name(t, url)
	if !strings.HasPrefix(want, "ko-dev-") || name(t, url+"?ref=v2&timeout=90s") != want || name(t, url+"/?ref=v1") != want {
		t.Errorf("%q, and %q", want, name(t, url+"?ref=v2"))
	}
	if other := name(t, "https://example.com/fork//deploy/overlays/dev"); other == want {
		t.Errorf("two have the name %q", want)
	}
}

// The same directory of the same repository has the same name, however its URL is written.
func TestSetNameOfAURL(t *testing.T) {
	names := map[string]bool{}
	for _, same := range [][]string{
		{
			"https://github.com/org/repo//deploy/dev", "https://github.com/org/repo/deploy/dev", "https://github.com/org/repo.git//deploy/dev", "https://github.com/org/repo.git/deploy/dev/",
			"http://github.com/org/repo//deploy/dev", "https://user:secret@github.com/org/repo//deploy/dev", "https://github.com:443/org/repo//deploy/dev", "HTTPS://GitHub.com/org/repo//deploy/dev",
			"ssh://git@github.com/org/repo//deploy/dev", "ssh://git@github.com:22/org/repo.git//deploy/dev", "git@github.com:org/repo.git//deploy/dev", "git@github.com:org/repo//deploy/dev?ref=v1",
			"github.com/org/repo//deploy/dev", "github.com:org/repo//deploy/dev", "git::https://github.com/org/repo//deploy/dev?ref=v1&timeout=9s",
		},
		{"https://github.com/org/repo", "https://github.com/org/repo.git", "github.com/org/repo/", "git@github.com:org/repo.git?ref=a/b.git//c"},
		{"https://example.com:8443/org/repo//dev", "https://user@example.com:8443/org/repo.git//dev"},
		{"https://example.com:22/org/repo//dev"}, {"https://example.com/org/repo//dev"}, {"https://example.org/org/repo//dev"},
		{"https://github.com/org/repo//deploy.git/dev"}, {"https://github.com/org/repo//deploy/prod"}, {"https://github.com/org/repo.github//deploy/dev"},
		{"file:///srv/repo//deploy/dev", "file:///srv/repo.git//deploy/dev"},
	} {
		want := name(t, same[0])
		for _, url := range same {
			if got := name(t, url); got != want {
				t.Errorf("%s: %q, want %q", url, got, want)
			}
		}
		if names[want] {
			t.Errorf("%s: %q is the name of another one", same[0], want)
		}
		names[want] = true
	}
}

// Where nothing tells a kustomization from others, its set has no name.
func TestNoSetName(t *testing.T) {
	short := t.TempDir()
	if err := os.WriteFile(filepath.Join(short, "go.mod"), []byte("module app\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), short, "no-such-directory"} {
		if got := name(t, dir); got != "" {
			t.Errorf("%s: %q", dir, got)
		}
	}
}
