//go:build unix

package up_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/up"
)

// The overlay's workloads run, find each other by their Services' names, and
// are reached through the front door; a second run finds the first one's data.
func TestRunsAnOverlay(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, nil)
	r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "v1one") // front: nobody else refers to it
	r.answers(r.service("front", "/"), "v1one")
	r.answers(r.service("front", "/backend"), "blue") // through the ConfigMap of back
	r.answers(r.service("back", "/env?name=HOSTNAME"), "back-0")
	r.prints("seed: completed")
	if _, err := client.Post(r.service("back", "/file"), "", strings.NewReader("note\n")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"database", "--service database=HOST:PORT", "NetworkPolicy", "front web starts", "all 4 are ready"} {
		r.prints(want)
	}
	pid, err := r.get(r.service("front", "/pid"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
	if left, _ := filepath.Glob(filepath.Join(dir, ".ko/run/*")); len(left) > 0 {
		t.Errorf("the run left %q", left)
	}
	seeded, err := os.ReadFile(filepath.Join(dir, ".ko/claims/shop/back/seeded"))
	if string(seeded) != "by job" {
		t.Errorf("the Job wrote %q (error %v)", seeded, err)
	}
	start(t, dir, nil).answersAfterStart("back", "/file", "note\n")
}

func (r *run) answersAfterStart(service, path, want string) {
	r.answers(r.service(service, path), want)
}

func gone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there (error %v)", n, err)
	}
}

// No request fails while files are saved, some of them broken, and only what
// was built from them is restarted.
func TestReloadsOnSave(t *testing.T) {
	r := start(t, newShop(t), nil)
	r.answers(r.service("back", "/"), "v1one")
	r.answers(r.service("front", "/"), "v1one")
	r.prints("seed: completed")
	stop := load(t, r.service("back", "/"))
	for i := range 5 {
		r.greet(fmt.Sprintf("edit%d", i))
		r.answers(r.service("front", "/"), fmt.Sprintf("edit%done", i))
		r.answers(r.service("back", "/"), fmt.Sprintf("edit%done", i))
	}
	r.write("greeting/footer.txt", "two") // embedded
	r.answers(r.service("back", "/"), "edit4two")
	r.write("greeting/extra.go", "package greeting\n\nfunc broken( {\n")
	r.prints("greeting/extra.go:3:")
	r.answers(r.service("back", "/"), "edit4two")
	if err := os.Remove(filepath.Join(r.dir, "greeting/extra.go")); err != nil {
		t.Fatal(err)
	}
	r.prints("nothing has changed")
	r.greet("mended")
	r.answers(r.service("back", "/"), "mendedtwo")
	r.answers(r.service("front", "/"), "mendedtwo")
	pid, _ := r.get(r.service("front", "/pid"))
	r.write("greeting/greeting_test.go", "package greeting // changed\n")
	r.write("cmd/seed/main.go", "package main\n\nfunc main() {}\n")
	r.wait(func() bool { return strings.Count(r.out.String(), "seed: completed") == 2 }, func() string { return "seed did not run again" })
	if now, _ := r.get(r.service("front", "/pid")); now != pid {
		t.Error("a change that does not concern it has restarted front")
	}
	if n := stop(); n == 0 {
		t.Error("no request was answered")
	}
}

// patience is how long a request waits for a program that is restarted: see package route.
const patience = 2 * time.Second

// load asks without a pause until stop is called, which returns how often it
// was answered. A request that fails fails the test.
func load(t *testing.T, url string) (stop func() int) {
	t.Helper()
	done := make(chan struct{})
	var mu sync.Mutex
	answered := 0
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
				}
				began := time.Now()
				response, err := client.Post(url, "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if response.StatusCode == http.StatusServiceUnavailable && time.Since(began) >= patience {
					continue // It has waited for as long as it is to.
				}
				if err != nil || response.StatusCode != http.StatusOK {
					t.Errorf("a request was answered by %s %q (error %v)", response.Status, body, err)
					return
				}
				mu.Lock()
				answered++
				mu.Unlock()
			}
		})
	}
	return func() int {
		close(done)
		clients.Wait()
		return answered
	}
}

func TestRestartsWhatEndsOrIsNotAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	r := start(t, newShop(t), func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://127.0.0.1:%d", r.port)
	r.answers(front+"/", "v1one")
	first, _ := r.get(front + "/pid")
	r.get(front + "/exit")
	r.prints("front: container web ended: exit code 3; it is restarted")
	r.answers(front+"/", "v1one")
	second, _ := r.get(front + "/pid")
	if first == second {
		t.Error("it is the same process")
	}
	r.get(front + "/sicken")
	r.prints("liveness probe: GET")
	r.prints("it is restarted in 10s")
	r.greet("again") // A change does not wait for the back-off.
	r.answers(front+"/", "againone")
}

// A change of the overlay restarts what it concerns, and a broken one nothing.
func TestFollowsTheOverlay(t *testing.T) {
	r := start(t, newShop(t), nil)
	r.answers(r.service("front", "/backend"), "blue")
	pid, _ := r.get(r.service("front", "/pid"))
	r.replace("config/kustomization.yaml", "COLOUR=blue", "COLOUR=green")
	r.answers(r.service("front", "/backend"), "green")
	r.replace("config/kustomization.yaml", "- other.yaml", "- missing.yaml")
	r.prints("missing.yaml")
	r.replace("config/kustomization.yaml", "- missing.yaml\n", "")
	r.replace("config/kustomization.yaml", "COLOUR=green", "COLOUR=red")
	r.answers(r.service("front", "/backend"), "red")
	if now, _ := r.get(r.service("front", "/pid")); now != pid {
		t.Error("front was restarted, though nothing of it has changed")
	}
	r.replace("config/kustomization.yaml", "- back.yaml\n", "")
	r.wait(func() bool {
		response, err := client.Get(r.service("back", "/"))
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusNotFound
	}, func() string { return "back is still there" })
}

// Build settings are upstream's, and a change of them builds again.
func TestFollowsTheBuildSettings(t *testing.T) {
	r := start(t, newShop(t), func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://127.0.0.1:%d/", r.port)
	r.answers(front, "v1one")
	r.write("greeting/tagged.go", "//go:build tagged\n\npackage greeting\n\nfunc init() { Footer = \"tagged\" }\n")
	r.write(".ko.yaml", "defaultFlags: [-tags=tagged]\n")
	r.answers(front, "v1tagged")
}

// The workloads that are not named are left to the network, and Services can be
// led elsewhere.
func TestRunsNamedWorkloadsOnly(t *testing.T) {
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "elsewhere") })}
	go server.Serve(elsewhere)
	defer server.Close()
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) {
		o.Workloads = []string{"front"}
		o.Env = map[string]string{"FROM_FILE": "a=b#c"}
	})
	front := fmt.Sprintf("http://localhost:%d", r.port)
	r.answers(front+"/env?name=BACKEND", "http://back/env?name=COLOUR")
	r.answers(front+"/env?name=FROM_FILE", "a=b#c")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, func(o *up.Options) {
		o.Workloads = []string{"front"}
		o.Services = map[string]string{"back": elsewhere.Addr().String()}
	})
	r.answers(fmt.Sprintf("http://localhost:%d/backend", r.port), "elsewhere")
}

// A run in another namespace has names and data of its own.
func TestRunsInAnotherNamespace(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) { o.Render.Namespace = "team1" })
	r.answers(fmt.Sprintf("http://front.team1.localhost:%d/backend", r.port), "blue")
	r.prints("seed: completed")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if claims, err := filepath.Glob(filepath.Join(dir, ".ko/claims/*")); err != nil || len(claims) != 1 || filepath.Base(claims[0]) != "team1" {
		t.Errorf("error %v, there is data in %q", err, claims)
	}
}

// Saving by rename, a checkout that removes directories, and a thousand files
// at once lose nothing.
func TestSurvivesACheckout(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	dir := newShop(t)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-qm", "main")
	git("checkout", "-qb", "other")
	if err := os.Rename(filepath.Join(dir, "greeting"), filepath.Join(dir, "welcome")); err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, dir: dir}
	r.write("welcome/greeting.go", "package greeting\n\nconst Text, Footer = \"other\", \"branch\"\n")
	r.replace("cmd/web/main.go", `"example.com/shop/greeting"`, `greeting "example.com/shop/welcome"`)
	if err := os.MkdirAll(filepath.Join(dir, "welcome/many"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		r.write(fmt.Sprintf("welcome/file%d.go", i), "package greeting\n")
	}
	git("add", "-A")
	git("commit", "-qm", "other")
	git("checkout", "-q", "main")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d/", r.port)
	r.answers(front, "v1one")
	git("checkout", "-q", "other")
	r.answers(front, "otherbranch")
	git("checkout", "-q", "main")
	r.answers(front, "v1one")
	r.write("greeting/.new", strings.Replace(read(t, dir, "greeting/greeting.go"), "v1", "renamed", 1))
	if err := os.Rename(filepath.Join(dir, "greeting/.new"), filepath.Join(dir, "greeting/greeting.go")); err != nil {
		t.Fatal(err)
	}
	r.answers(front, "renamedone")
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// What stands in the way of a start is an error that says so.
func TestRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		change func(*up.Options)
		want   string
	}{
		"busy port":        {func(o *up.Options) { o.Port = taken.Addr().(*net.TCPAddr).Port }, "in use by"},
		"no kustomization": {func(o *up.Options) { o.Kustomization = "cmd" }, "holds no kustomization"},
		"unknown workload": {func(o *up.Options) { o.Workloads = []string{"fornt"} }, "deployment.apps/front"},
		"unknown Service":  {func(o *up.Options) { o.Services = map[string]string{"datbase": "127.0.0.1:1"} }, "no Service datbase: there are back, database, front"},
		"broken settings":  {func(o *up.Options) { o.Build.WorkingDirectory = "broken" }, "broken/.ko.yaml:1: builds: entry 0 expected a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newShop(t)
			if err := os.MkdirAll(filepath.Join(dir, "broken"), 0o755); err != nil {
				t.Fatal(err)
			}
			(&run{t: t, dir: dir}).write("broken/.ko.yaml", "builds: 7\n")
			opts, log := options(t, io.Discard)
			defer log.Close()
			test.change(&opts)
			if err := up.Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
