package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/kittest"
)

const (
	// image is what the tests make, and run.
	image = "localhost/ko-up-test:1"
	// deadline bounds the waiting for what takes a second on an idle machine.
	deadline = time.Minute
	// runParent makes the test's executable a run that is killed. Its value is a
	// directory of its own.
	runParent = "ENGINE_TEST_RUN_PARENT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(runParent); dir != "" {
		parent(dir)
	}
	os.Exit(m.Run())
}

// start returns an engine that has the image. It skips the test where none
// answers, or where it cannot run containers.
func start(t *testing.T) *Engine {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs containers: see make test-all")
	}
	dir := t.TempDir()
	// Podman is to leave the images and the limits of this machine alone.
	for name, content := range map[string]string{
		"CONTAINERS_CONF":         "[containers]\ndefault_ulimits = []\n[engine]\n",
		"CONTAINERS_STORAGE_CONF": fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", dir+"/graph", dir+"/run"),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, file)
	}
	e, err := Find(t.Context())
	if err != nil {
		t.Skipf("no container engine answers: %v", err)
	}
	program := exec.Command("go", "build", "-o", filepath.Join(dir, "program"), "./testdata/program")
	program.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	archive := exec.Command("tar", "-C", dir, "-cf", filepath.Join(dir, "image.tar"), "program")
	load := exec.Command(e.path, "import", "--change", `ENTRYPOINT ["/program"]`, "--change", `CMD ["of", "the", "image"]`, filepath.Join(dir, "image.tar"), image)
	for _, cmd := range []*exec.Cmd{program, archive, load} {
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, said)
		}
	}
	t.Cleanup(func() { exec.Command(e.path, "rmi", "--force", image).Run() })
	if said, err := exec.Command(e.path, "run", "--rm", image, "check").CombinedOutput(); err != nil {
		t.Skipf("%s answers, but cannot run a container: %s", e, said)
	}
	return e
}

// newContainer returns one with something of everything.
func newContainer(t *testing.T, dir string) Container {
	t.Helper()
	for _, name := range []string{"config", "volume", "private"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "config", "file"), []byte("from the Secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Container{
		Name: "shop/web-0", Hostname: "web-0", Image: image, Args: []string{"of", "the manifests"}, Dir: "/data", User: "1234:1234",
		Env:   map[string]string{"PLAIN": "two\nlines = \"quoted\"", "HOME": "/nonexistent"},
		Ports: map[int32]int{8080: kittest.FreePort(t)}, Grace: deadline, Private: filepath.Join(dir, "private"),
		Mounts: []bind.Mount{
			{Inside: "/etc/config", Here: filepath.Join(dir, "config"), ReadOnly: true, Source: bind.Files},
			{Inside: "/data", Here: filepath.Join(dir, "volume"), Source: bind.Volume},
			{Inside: "/tmp", Source: bind.Scratch},
		},
	}
}

func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(50 * time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not seen: %s: %v", what, err)
		}
	}
}

type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(line)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
