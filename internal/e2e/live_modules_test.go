//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// foreign is a module that is not ours, in a namespace of its own.
type foreign struct {
	*cluster
	dir, namespace string
	reloads        [][2]string // program and selector
	says           string      // what ko reload says besides, of the last of them
}

// Live reload works in whatever module, under Pod Security's restricted level, without
// a network, and without anything of ours in its files.
func TestLiveOnModulesOfOthers(t *testing.T) {
	c := connect(t)
	paths, err := filepath.Glob("testdata/live/*.txtar")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d modules, error %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			f := writeForeign(t, c, path)
			f.ko(t, "apply", "-k", "config/default", "--live", "--wait")
			f.runs(t, "one")
			before := f.uids(t)
			f.edit(t)
			for i, reload := range f.reloads {
				out := f.ko(t, "reload", reload[0], "--selector="+reload[1])
				if i == len(f.reloads)-1 && !strings.Contains(out, f.says) {
					t.Errorf("it does not say %q, but %s", f.says, out)
				}
			}
			f.runs(t, "two")
			if after := f.uids(t); after != before {
				t.Errorf("the pods were %s, and are %s", before, after)
			}
			f.ko(t, "apply", "-k", "config/default", "--wait")
			f.isPlain(t)
		})
	}
}

// writeForeign writes a module, which goes by our own versions of what it needs if a
// line "modules" says so.
func writeForeign(t *testing.T, c *cluster, path string) *foreign {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &foreign{cluster: c, dir: t.TempDir(), namespace: c.newNamespace(t)}
	c.kubectl(t, "", "label", "namespace", f.namespace, "pod-security.kubernetes.io/enforce=restricted")
	files, err := txtar.FS(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(f.dir, files); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "reload":
			program, selector, _ := strings.Cut(value, " ")
			f.reloads = append(f.reloads, [2]string{program, selector})
		case "says":
			f.says = value
		case "modules":
			f.useOurModules(t)
		}
	}
	return f
}

func (f *foreign) useOurModules(t *testing.T) {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, f.dir, name, strings.Replace(string(text), "module github.com/koshop/koshop\n", "module example.com/greeter\n", 1))
	}
}

// ko runs ko in the module, without a way to fetch modules.
func (f *foreign) ko(t *testing.T, args ...string) string {
	t.Helper()
	path, err := filepath.Abs(koPath(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, onCluster(append(args, "--namespace="+f.namespace)...)...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "KO_DOCKER_REPO="+os.Getenv("KO_DOCKER_REPO")+"/others")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ko %q: %v\n%s", args, err, out)
	}
	return string(out)
}

var versionLine = regexp.MustCompile(`const version = "one"`)

// edit makes version two of all programs.
func (f *foreign) edit(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(f.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, versionLine.ReplaceAll(text, []byte(`const version = "two"`)), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *foreign) eachPod(t *testing.T) []corev1.Pod {
	t.Helper()
	list, err := f.CoreV1().Pods(f.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("%d pods, error %v", len(list.Items), err)
	}
	return list.Items
}

// runs waits until each container has said last that it is a version.
func (f *foreign) runs(t *testing.T, version string) {
	t.Helper()
	for _, pod := range f.eachPod(t) {
		for _, container := range pod.Spec.Containers {
			eventually(t, fmt.Sprintf("%s/%s is version %s", pod.Name, container.Name, version), func(ctx context.Context) error {
				text, err := f.CoreV1().Pods(f.namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container.Name}).DoRaw(ctx)
				if at := strings.LastIndex(string(text), " version "); err == nil && (at < 0 || !strings.HasPrefix(string(text)[at:], " version "+version)) {
					err = fmt.Errorf("it says %s", text)
				}
				return err
			})
		}
	}
}

// uids are equal as long as there are the same pods.
func (f *foreign) uids(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pod := range f.eachPod(t) {
		all = append(all, string(pod.UID))
	}
	return strings.Join(all, " ")
}

// isPlain fails if something of live reload is left.
func (f *foreign) isPlain(t *testing.T) {
	t.Helper()
	for _, pod := range f.eachPod(t) {
		if pod.DeletionTimestamp != nil {
			continue
		}
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			if len(container.Command) > 0 || container.Name == "live-reload" {
				t.Errorf("pod %s has the supervisor: %+v", pod.Name, container)
			}
		}
	}
}
