package up_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	koptions "github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/up"
)

// eventually bounds the waiting for what must come; a slow machine compiles.
const eventually = 2 * time.Minute

// run is a `ko up` under test.
type run struct {
	t    *testing.T
	dir  string // of the module, a copy of testdata/shop
	port int
	out  *buffer
	stop func() error // ends it and returns what Run returned
}

// quick are the tests of whole runs that `make test` runs, too.
var quick = []string{"TestRunsAnOverlay", "TestReloadsOnSave", "TestRefusesWhatCannotStart", "TestRefusesAPortOfTwoWorkloads", "TestRefusesToStart"}

// newShop copies the module, which is the working directory from then on.
func newShop(t *testing.T) string {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	if testing.Short() && !slices.Contains(quick, test) {
		t.Skip("slow: see make test-all")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return dir
}

// start runs the kustomization of a module in the working directory.
func start(t *testing.T, dir string, change func(*up.Options)) *run {
	t.Helper()
	r := &run{t: t, dir: dir, out: &buffer{}}
	opts, log := options(t, r.out)
	r.port = opts.Port
	if change != nil {
		change(&opts)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- up.Run(ctx, opts) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		defer log.Close()
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the run ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("it printed\n%s", r.out)
		}
	})
	return r
}

// options are those of a run of the module, on a free port.
func options(t *testing.T, out io.Writer) (up.Options, *progress.Log) {
	log := progress.New(out)
	return up.Options{
		Kustomization: "config", Port: kittest.FreePort(t), State: ".ko",
		Build: &koptions.BuildOptions{Trimpath: true},
		Log:   log, Out: out, Err: out,
	}, log
}

// service returns the URL of a Service's path.
func (r *run) service(name, path string) string {
	return fmt.Sprintf("http://%s.shop.localhost:%d%s", name, r.port, path)
}

// client finds *.localhost on this machine, whatever its resolver does.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
	},
}}

// get returns what a URL answers.
func (r *run) get(url string) (string, error) {
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(body), err
}

// answers waits until a URL answers so.
func (r *run) answers(url, want string) {
	r.t.Helper()
	got, err := "", error(nil)
	r.wait(func() bool {
		got, err = r.get(url)
		return err == nil && got == want
	}, func() string { return fmt.Sprintf("%s answers %q (error %v), not %q", url, got, err, want) })
}

// prints waits until the run has printed a text.
func (r *run) prints(text string) {
	r.t.Helper()
	r.wait(func() bool { return strings.Contains(r.out.String(), text) },
		func() string { return fmt.Sprintf("it never printed %q", text) })
}

func (r *run) wait(done func() bool, complaint func() string) {
	r.t.Helper()
	for deadline := time.Now().Add(eventually); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatal(complaint())
		}
	}
}

// write saves a file of the module.
func (r *run) write(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// replace saves a file of the module with one text in the place of another.
func (r *run) replace(name, before, after string) {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(content), before) {
		r.t.Fatalf("%s has no %q", name, before)
	}
	r.write(name, strings.Replace(string(content), before, after, 1))
}

func (r *run) greet(text string) {
	r.t.Helper()
	r.write("greeting/greeting.go", "package greeting\n\nimport _ \"embed\"\n\nconst Text = \""+text+"\"\n\n//go:embed footer.txt\nvar Footer string\n")
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
