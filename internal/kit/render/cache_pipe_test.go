//go:build unix

package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe can be read once: a secret manager may write a file of a generator into one.
func TestPipeIsReadOnce(t *testing.T) {
	c := newCached(t, map[string]string{"dev/kustomization.yaml": "configMapGenerator:\n- name: c\n  envs: [x.env]\n"})
	pipe := filepath.Join(c.root, "dev/x.env")
	c.must(syscall.Mkfifo(pipe, 0o600))
	for _, value := range []string{"a=one", "a=two"} {
		written := make(chan error)
		go func() { written <- os.WriteFile(pipe, []byte(value), 0o600) }()
		if got, err := c.render(); err != nil || !strings.Contains(got, strings.Replace(value, "=", ": ", 1)) {
			t.Errorf("%s: error %v\n%s", value, err, got)
		}
		c.must(<-written)
	}
	// A file that was kept may become a pipe.
	c.must(os.Remove(pipe))
	c.write("dev/x.env", "a=one")
	c.mustRender("a file")
	c.must(os.Remove(pipe))
	c.must(syscall.Mkfifo(pipe, 0o600))
	written := make(chan error)
	go func() { written <- os.WriteFile(pipe, []byte("a=three"), 0o600) }()
	if got, err := c.render(); err != nil || !strings.Contains(got, "a: three") {
		t.Errorf("error %v\n%s", err, got)
	}
	c.must(<-written)
}
