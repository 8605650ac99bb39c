package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/koshop/koshop/cmd/cluster/internal/image"
)

// artifact is something built from this module's sources and kept in DIR/bin, with the
// hash of its inputs beside it: what has not changed is not built again.
type artifact struct {
	name   string
	inputs []string // patterns of files
	build  func(context.Context) error
}

// artifacts are built in this order, except that the packages of PostgreSQL are fetched meanwhile.
func (n *Node) artifacts() (programs, layers, postgres artifact) {
	source := func(pattern string) string { return filepath.Join(n.Source, pattern) }
	entrypoint := source("programs/postgres-entrypoint/*.go")
	recipes := source("internal/image/*.go")
	programs = artifact{"programs", []string{source("go.mod"), source("go.sum"), source("programs/*/*.go")}, n.buildPrograms}
	layers = artifact{"layers", append(programs.inputs, recipes, image.CertificatesFile), n.buildLayers}
	postgres = artifact{"postgres", []string{entrypoint, recipes}, nil}
	return programs, layers, postgres
}

// build builds what is missing or out of date. Most of the time goes into Kubernetes,
// the first time; PostgreSQL, which is downloading and unpacking, is assembled meanwhile.
func (n *Node) build(ctx context.Context) error {
	programs, layers, postgres := n.artifacts()
	var entries []image.Entry
	unpacked := n.path("bin", "postgres.tmp")
	group, groupContext := errgroup.WithContext(ctx)
	if !n.fresh(postgres) {
		group.Go(func() (err error) {
			entries, err = image.PostgresEntries(groupContext, unpacked, n.binary("postgres-entrypoint"))
			if err != nil {
				return fmt.Errorf("assembling PostgreSQL from Debian's packages: %w", err)
			}
			return nil
		})
	}
	group.Go(func() error { return n.make(groupContext, programs) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := n.make(ctx, layers); err != nil {
		return err
	}
	postgres.build = func(context.Context) error {
		if err := image.WriteLayer(n.layer("postgres"), entries); err != nil {
			return err
		}
		return os.RemoveAll(unpacked)
	}
	return n.make(ctx, postgres)
}

// built reports whether there is nothing to build.
func (n *Node) built() bool {
	programs, layers, postgres := n.artifacts()
	return n.fresh(programs) && n.fresh(layers) && n.fresh(postgres)
}

func (n *Node) make(ctx context.Context, a artifact) error {
	if n.fresh(a) {
		return nil
	}
	return n.step("building "+a.name, func() error {
		if err := a.build(ctx); err != nil {
			return err
		}
		hash, err := a.hash()
		if err != nil {
			return err
		}
		return writeFile(n.stamp(a), []byte(hash), 0o644)
	})
}

func (n *Node) stamp(a artifact) string { return n.path("bin", "."+a.name+".stamp") }

func (n *Node) fresh(a artifact) bool {
	stamp, err := os.ReadFile(n.stamp(a))
	if err != nil {
		return false
	}
	hash, err := a.hash()
	return err == nil && hash == string(stamp)
}

func (a artifact) hash() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, pattern := range a.inputs {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, file := range slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
			data, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %x\n", filepath.Base(file), sha256.Sum256(data))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// buildPrograms compiles everything below programs/ into DIR/bin by one go command.
func (n *Node) buildPrograms(ctx context.Context) error {
	version, err := n.goCommand(ctx, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		return fmt.Errorf("asking go for the version of k8s.io/kubernetes: %w", err)
	}
	v := strings.TrimSpace(string(version))
	n.say("building kubernetes %s, etcd and CoreDNS: about 10 minutes the first time on 2 cores", v)
	// Without these a server says it is v0.0.0, and its clients adapt to that.
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + v + " -X k8s.io/client-go/pkg/version.gitVersion=" + v
	staging := n.path("bin", "programs.tmp")
	cmd := n.goCommand(ctx, "build", "-v", "-trimpath", "-ldflags", flags, "-o", staging+"/", "./programs/...")
	progress := &progress{}
	cmd.Stderr = progress
	done := make(chan struct{})
	defer close(done)
	go n.reportProgress(done, progress)
	if err := cmd.Run(); err != nil {
		logFile := n.LogFile("build")
		if err := os.WriteFile(logFile, progress.output.Bytes(), 0o600); err != nil {
			return err
		}
		return fmt.Errorf("go build: %w: %s says why", err, logFile)
	}
	if err := n.install(staging); err != nil {
		return err
	}
	return n.linkPrograms()
}

// install moves the programs that have changed out of the directory they were built in; a
// program that is as it was stays as it is, and so keeps running.
func (n *Node) install(staging string) error {
	built, err := filepath.Glob(filepath.Join(staging, "*"))
	if err != nil {
		return err
	}
	for _, file := range built {
		target := n.binary(filepath.Base(file))
		if same, err := sameContent(file, target); err != nil {
			return err
		} else if same {
			continue
		}
		if err := os.Rename(file, target); err != nil {
			return err
		}
	}
	return os.RemoveAll(staging)
}

func sameContent(file, other string) (bool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	otherData, err := os.ReadFile(other)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.Equal(data, otherData), err
}

func (n *Node) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = n.Source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off") // static: they run in containers too
	return cmd
}

// linkPrograms gives the multi-call program its names.
func (n *Node) linkPrograms() error {
	for _, program := range []string{"kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet", "kubectl"} {
		if err := os.Symlink("kubernetes", n.binary(program)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

// progress keeps what go build prints and counts the lines: with -v, one per compiled package.
type progress struct {
	output   bytes.Buffer
	packages atomic.Int64
}

func (p *progress) Write(data []byte) (int, error) {
	p.packages.Add(int64(bytes.Count(data, []byte("\n"))))
	return p.output.Write(data)
}

func (n *Node) reportProgress(done <-chan struct{}, p *progress) {
	start := time.Now()
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			n.say("  %d packages compiled, %.0fs", p.packages.Load(), time.Since(start).Seconds())
		}
	}
}
