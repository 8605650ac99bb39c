package up

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	ko "github.com/google/ko/pkg/build"

	"github.com/koshop/koshop/internal/kit/compile"
)

// builds keeps the executables of import paths. Its methods are the loop's to
// call; what they start reports on finished and listed.
type builds struct {
	compiler  *compile.Compiler
	dir       string // where the go tool finds what it linked last time
	run       string // where the executables are that run
	artifacts map[string]*artifact
	serial    int // of the newest build
	finished  chan build
	listed    chan listing
	running   sync.WaitGroup
}

// artifact is what there is of an import path.
type artifact struct {
	importPath string
	executable string          // the newest that compiled; "" before the first
	digest     string          // of the content of executable
	outdated   string          // the one before, which a slot may be about to start
	inputs     *compile.Inputs // nil before the first listing
	compiled   *compile.Inputs // those of the last compilation that succeeded, while there is a failure
	serial     int             // of the newest build that was started
	cancel     context.CancelFunc
	failure    string // what the last build failed with, "" if it did not
}

// build is a finished one.
type build struct {
	importPath string
	serial     int
	executable string // the one before, if nothing in it has changed
	digest     string // of its content
	took       time.Duration
	since      time.Time // when the change that it is for was noticed
	err        error
}

// listing says what an import path is made of.
type listing struct {
	importPath string
	inputs     *compile.Inputs
	err        error
}

func newBuilds(compiler *compile.Compiler, dir, run string) *builds {
	return &builds{
		compiler: compiler, dir: dir, run: run,
		artifacts: map[string]*artifact{},
		finished:  make(chan build), listed: make(chan listing),
	}
}

// want makes the artifacts those of these import paths, and returns the ones
// that are new.
func (b *builds) want(importPaths []string) (added []string) {
	for _, importPath := range b.importPaths() {
		if !slices.Contains(importPaths, importPath) {
			b.artifacts[importPath].cancel()
			delete(b.artifacts, importPath)
		}
	}
	for _, importPath := range importPaths {
		if b.artifacts[importPath] == nil {
			b.artifacts[importPath] = &artifact{importPath: importPath, cancel: func() {}}
			added = append(added, importPath)
		}
	}
	return added
}

// start begins to build an import path; a build under way is given up.
func (b *builds) start(ctx context.Context, importPath string) {
	a := b.artifacts[importPath]
	a.cancel()
	ctx, a.cancel = context.WithCancel(ctx)
	b.serial++
	a.serial = b.serial
	began := build{importPath: importPath, serial: a.serial, executable: a.executable, digest: a.digest, since: time.Now()}
	compiler := b.compiler
	b.running.Go(func() {
		done := b.compile(ctx, compiler, began)
		select {
		case b.finished <- done:
		case <-ctx.Done(): // Given up.
			done.discard(began.executable)
		}
	})
}

// discard removes the executable of a build that is not used, unless it is one
// that was there before.
func (done build) discard(before string) {
	if done.executable != before {
		os.Remove(done.executable)
	}
}

func (b *builds) compile(ctx context.Context, compiler *compile.Compiler, done build) build {
	began := time.Now()
	linked := filepath.Join(b.dir, fileName(done.importPath)+exe)
	if done.err = compiler.Compile(ctx, ko.StrictScheme+done.importPath, linked); done.err == nil {
		done.err = b.keep(linked, &done)
	}
	done.took = time.Since(began)
	return done
}

// keep gives what was linked a name that the next build does not overwrite,
// unless it is the program of the build before. The go tool leaves a file alone
// that is up to date, so that the same file means the same program; a file that
// was linked again may have the same content nevertheless.
func (b *builds) keep(linked string, done *build) error {
	now, err := os.Stat(linked)
	if err != nil {
		return fmt.Errorf("looking for the executable: %w", err)
	}
	if before, err := os.Stat(done.executable); err == nil && os.SameFile(now, before) {
		return nil
	}
	digest, err := digestOf(linked)
	if err != nil {
		return fmt.Errorf("reading the executable: %w", err)
	}
	if digest == done.digest {
		return nil
	}
	done.digest = digest
	done.executable = filepath.Join(b.run, fmt.Sprintf("%s.%d%s", fileName(done.importPath), done.serial, exe))
	return link(linked, done.executable)
}

// digestOf returns the SHA-256 of a file's content, in hexadecimal.
func digestOf(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// renew takes note of a newer executable, and removes the one that no instance
// is started from any more.
func (a *artifact) renew(done build) {
	if a.outdated != "" {
		os.Remove(a.outdated)
	}
	a.outdated, a.executable, a.digest = a.executable, done.executable, done.digest
}

// fileName makes one element of a path of an import path. One may be the parent
// of another, so that they cannot be paths themselves.
func fileName(importPath string) string { return url.PathEscape(importPath) }

// list begins to find out what an import path is made of.
func (b *builds) list(ctx context.Context, importPath string) {
	compiler := b.compiler
	b.running.Go(func() {
		found := listing{importPath: importPath}
		found.inputs, found.err = compiler.Inputs(ctx, ko.StrictScheme+importPath)
		select {
		case b.listed <- found:
		case <-ctx.Done():
		}
	})
}

// unlisted returns the import paths of which it is not known what they are made of.
func (b *builds) unlisted() []string {
	return slices.DeleteFunc(b.importPaths(), func(path string) bool { return b.artifacts[path].inputs != nil })
}

// importPaths returns all that are known.
func (b *builds) importPaths() []string { return slices.Sorted(maps.Keys(b.artifacts)) }

// affected returns the import paths that a change of these files concerns.
func (b *builds) affected(files []string) []string {
	return slices.DeleteFunc(b.importPaths(), func(path string) bool {
		return !slices.ContainsFunc(b.artifacts[path].watched(), func(in *compile.Inputs) bool {
			return slices.ContainsFunc(files, in.Match)
		})
	})
}

// dirs returns the directories in which such changes happen.
func (b *builds) dirs() []string {
	var dirs []string
	for _, a := range b.artifacts {
		for _, in := range a.watched() {
			dirs = append(dirs, in.Dirs()...)
		}
	}
	return dirs
}

// found takes note of what the import path is made of. What it was made of when
// it compiled last may be what has to be put right.
func (a *artifact) found(inputs *compile.Inputs) {
	switch {
	case a.failure == "":
		a.compiled = nil
	case a.compiled == nil:
		a.compiled = a.inputs
	}
	a.inputs = inputs
}

// watched returns the inputs whose changes concern the import path.
func (a *artifact) watched() []*compile.Inputs {
	return slices.DeleteFunc([]*compile.Inputs{a.inputs, a.compiled}, func(in *compile.Inputs) bool { return in == nil })
}
