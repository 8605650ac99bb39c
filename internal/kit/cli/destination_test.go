package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// An image that cannot be published: the error names what it should have gone to,
// be it a registry or something else, and what to do about that.
func TestErrorsNameWhereAnImageGoes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "none.sock")
	const registry = "registry that is reachable"
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want []string
		not  string
	}{
		"-L": {
			args: []string{"-L"}, not: registry,
			want: []string{"to the container daemon at unix://" + socket, "DOCKER_HOST", "without -L"},
		},
		"-L without KO_DOCKER_REPO": {
			env: map[string]string{"KO_DOCKER_REPO": ""}, args: []string{"--local"}, not: registry,
			want: []string{"to the container daemon at unix://" + socket, "start Docker"},
		},
		"ko.local": {
			env: map[string]string{"KO_DOCKER_REPO": "ko.local/team"}, not: registry,
			want: []string{"to the container daemon at unix://" + socket, "start Docker", "KO_DOCKER_REPO"},
		},
		"kind.local without kind": {
			env: map[string]string{"KO_DOCKER_REPO": "kind.local", "PATH": goOnly(t)}, not: registry,
			want: []string{`to the nodes of kind cluster "kind"`, "kind get clusters", "KIND_CLUSTER_NAME"},
		},
		"another cluster of kind": {
			env: map[string]string{"KO_DOCKER_REPO": "kind.local", "PATH": goOnly(t), "KIND_CLUSTER_NAME": "team"}, not: registry,
			want: []string{`to the nodes of kind cluster "team"`},
		},
		"a tarball nowhere": {
			args: []string{"--push=false", "--tarball", file + "/images.tar"}, not: registry,
			want: []string{"to the tarball " + file + "/images.tar", "not a directory", "--tarball"},
		},
		"a layout nowhere": {
			args: []string{"--push=false", "--oci-layout-path", file + "/layout"}, not: registry,
			want: []string{"to the OCI layout " + file + "/layout", "not a directory", "--oci-layout-path"},
		},
		"a layout nowhere, and a registry": {
			args: []string{"--oci-layout-path", file + "/layout"}, not: registry,
			want: []string{"to the OCI layout " + file + "/layout", "--oci-layout-path"},
		},
		"a layout with capitals": { // Upstream's limit.
			args: []string{"--push=false", "--oci-layout-path", filepath.Join(t.TempDir(), "Layout")}, not: registry,
			want: []string{"to the OCI layout /", "no capitals"},
		},
		"a layout, and no registry": {
			env: map[string]string{"KO_DOCKER_REPO": closedPort(t)}, args: []string{"--oci-layout-path", lowerDir(t)},
			want: []string{"publishing ko://example.com/guestbook/cmd/worker to 127.0.0.1:", registry}, not: "layout",
		},
	} {
		t.Run(name, func(t *testing.T) {
			kittest.UseRegistry(t)
			t.Setenv("DOCKER_HOST", "unix://"+socket)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			t.Chdir(guestbook)
			_, _, err := ko(t, append([]string{"resolve", "-k", "config/overlays/prod", "-l", "app=worker"}, test.args...)...)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if err != nil && strings.Contains(err.Error(), test.not) {
				t.Errorf("the error speaks of %q: %v", test.not, err)
			}
		})
	}
}

// lowerDir returns a new directory without capitals in its path.
func lowerDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "layout")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// goOnly returns a PATH with the go tool and nothing else.
func goOnly(t *testing.T) string {
	t.Helper()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(tool, filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	return dir
}
