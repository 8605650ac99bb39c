//go:build linux

package layouts_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/koshop/koshop/internal/kit/cli"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/layouts"
)

// runKo makes this program the command ko, so that there is none to be built:
// commands that run in a directory of their own cannot run in one process.
const runKo = "LAYOUTS_RUN_KO"

func TestMain(m *testing.M) {
	if os.Getenv(runKo) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if cli.New(os.Args[1:]).ExecuteContext(ctx) != nil {
		os.Exit(1)
	}
}

// One verdict for all commands: what ko makes of a repository does not depend on
// how it is asked.
func TestLayouts(t *testing.T) {
	all, err := layouts.All()
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("it builds a hundred repositories, which takes minutes")
	}
	if len(all) < 40 {
		t.Errorf("there are %d layouts", len(all))
	}
	registry := newRegistry(t)
	slots := make(chan struct{}, 2) // Each compiles on all cores.
	for _, layout := range all {
		t.Run(layout.Name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			r := write(t, layout, registry)
			t.Run("resolve", r.resolve)
			t.Run("deps", r.deps)
			t.Run("up", r.up)
			if layout.Reload {
				t.Run("reload", r.reload)
			}
		})
	}
}

// repository is a layout that is written to the disk.
type repository struct {
	*layouts.Layout
	root     string
	env      []string
	registry string // KO_DOCKER_REPO
}

func write(t *testing.T, layout *layouts.Layout, registry string) *repository {
	t.Helper()
	for _, program := range layout.Needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on PATH", program)
		}
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := layout.Write(root); err != nil {
		t.Fatal(err)
	}
	r := &repository{Layout: layout, root: root, registry: registry + "/" + layout.Name}
	r.env = slices.Concat(environment(), r.path(t), []string{
		runKo + "=1", "KO_DOCKER_REPO=" + r.registry, "KO_DEFAULTBASEIMAGE=" + registry + "/base:latest",
		"KO_DEFAULTPLATFORMS=linux/" + runtime.GOARCH, "PWD=" + r.dir(), "TMPDIR=" + newScratch(t),
	}, layout.Env)
	return r
}

// newScratch returns a directory for temporary files. The test fails if one is left.
func newScratch(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (error %v)", left, err)
		}
	})
	return dir
}

// environment returns what the commands get of this process's environment. No
// setting of the developer's changes what they do, and nothing is downloaded.
func environment() []string {
	kept := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"GO", "KO", "CGO_", "GIT_", "PWD", "PORT", "SAY", "TMPDIR"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	})
	return append(kept, "GOCACHE="+goCache(), "GOMODCACHE="+goModuleCache(), "GOENV=off", "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
}

var (
	goCache       = sync.OnceValue(func() string { return goEnv("GOCACHE") })
	goModuleCache = sync.OnceValue(func() string { return goEnv("GOMODCACHE") })
)

// goEnv returns a setting of the go tool.
func goEnv(name string) string {
	output, err := exec.Command("go", "env", name).Output()
	if err != nil {
		panic(fmt.Sprintf("go env %s: %v", name, err))
	}
	return strings.TrimSpace(string(output))
}

// path returns a PATH without the programs that the layout hides.
func (r *repository) path(t *testing.T) []string {
	t.Helper()
	if len(r.Hides) == 0 {
		return nil
	}
	dir := t.TempDir()
	for _, program := range []string{"go", "git", "gcc", "helm"} {
		found, err := exec.LookPath(program)
		if err != nil || slices.Contains(r.Hides, program) {
			continue
		}
		if err := os.Symlink(found, filepath.Join(dir, program)); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"PATH=" + dir}
}

// dir returns where the commands run.
func (r *repository) dir() string { return filepath.Join(r.root, r.Dir) }

// ko returns a call of the command of a column, with the flags of the layout.
// It ends with the test, as by Ctrl-C.
func (r *repository) ko(t *testing.T, column string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, slices.Concat([]string{column}, args, r.Flags[column])...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = patience
	cmd.Dir, cmd.Env = r.dir(), r.env
	return cmd
}

// judge compares the end of a command with what the layout says of the column. It
// reports whether there is a result to compare, too.
func (r *repository) judge(t *testing.T, column string, err error, printed string) bool {
	t.Helper()
	expected := r.Fails(column)
	switch {
	case len(expected) == 0 && err != nil:
		t.Errorf("it fails: %v\n%s", err, printed)
	case len(expected) > 0 && err == nil:
		t.Errorf("it does not fail; it prints\n%s", printed)
	}
	for _, text := range slices.Concat(expected, r.Prints[column]) {
		if !strings.Contains(printed, text) {
			t.Errorf("it does not print %q but\n%s", text, printed)
		}
	}
	return len(expected) == 0 && err == nil
}

// output runs a command and returns what it prints, errors included.
func output(cmd *exec.Cmd) (stdout, all string, err error) {
	var out, both strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &both
	err = cmd.Run()
	return out.String(), both.String() + out.String(), err
}

// says runs an executable and compares what it says with what the program does.
func says(t *testing.T, p *layouts.Program, executable, data string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), executable)
	cmd.Env = []string{"SAY=1", "KO_DATA_PATH=" + data}
	got, err := cmd.CombinedOutput()
	if err != nil || string(got) != p.Says {
		t.Errorf("%s says %q (error %v), want %q", p.ImportPath, got, err, p.Says)
	}
}

// newRegistry serves a registry with a base image.
func newRegistry(t *testing.T) string {
	t.Helper()
	host := kittest.Registry(t)
	pushBase(t, host+"/base:latest")
	return host
}
