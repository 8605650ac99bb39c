//go:build linux

package layouts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/koshop/koshop/internal/kit/layouts"
)

// kubeconfig leads to no cluster.
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none}}]
current-context: none
`

// reload runs what `ko reload` would send to a pod, by each name of a program. The
// first call for a program publishes an image, and keeps the executable that it
// would send for the next one to differ from: all of this is done without pods.
func (r *repository) reload(t *testing.T) {
	for _, p := range r.Programs {
		for _, name := range []string{p.ImportPath, p.Path()} {
			dir := t.TempDir()
			config := filepath.Join(dir, "kubeconfig")
			if err := os.WriteFile(config, []byte(kubeconfig), 0o600); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "image")
			cmd := r.ko(t, "reload", name, "--selector=a=b", "--rebuild", "--image-file="+file) // There is an image already.
			cmd.Env = append(cmd.Env, "KUBECONFIG="+config, "XDG_CACHE_HOME="+dir)
			_, printed, err := output(cmd)
			if r.judge(t, "reload", err, printed) {
				r.reloaded(t, p, name, file, dir)
			}
		}
	}
}

func (r *repository) reloaded(t *testing.T, p *layouts.Program, name, file, cache string) {
	t.Helper()
	image, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	published := runImage(t, p, string(image))
	kept, err := filepath.Glob(filepath.Join(cache, "ko", "reload", "*", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("ko reload %s keeps %q (error %v), want one executable", name, kept, err)
	}
	if err := os.Chmod(kept[0], 0o700); err != nil {
		t.Fatal(err)
	}
	says(t, p, kept[0], "")
	if a, b := readFile(t, published), readFile(t, kept[0]); !bytes.Equal(a, b) {
		t.Errorf("ko reload %s sends %d bytes that are not the image's executable of %d", name, len(b), len(a))
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
