// Package builds compiles the programs of a run, each as often as its source changes,
// and keeps the executables.
package builds

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

// Builds keeps the executables of import paths. Its methods are for one goroutine to
// call; what they start reports on Finished and Listed.
type Builds struct {
	Finished chan Build
	Listed   chan Listing

	compiler  *compile.Compiler
	dir       string // where the go tool finds what it linked last time
	run       string // where the executables are that run
	artifacts map[string]*Artifact
	serial    int // of the newest build
	running   sync.WaitGroup
}

// Build is one that has ended.
type Build struct {
	ImportPath string
	Took       time.Duration
	Since      time.Time // when the change that it is for was noticed
	Err        error

	serial     int
	executable string // the one before, if nothing in it has changed
	digest     string // of its content
}

// Listing says what an import path is made of.
type Listing struct {
	ImportPath string
	Inputs     *compile.Inputs
	Err        error
}

// New returns builds by a compiler. In dir the go tool finds what it linked last; in
// run are the executables that run.
func New(compiler *compile.Compiler, dir, run string) *Builds {
	return &Builds{
		compiler: compiler, dir: dir, run: run,
		artifacts: map[string]*Artifact{},
		Finished:  make(chan Build), Listed: make(chan Listing),
	}
}

// Use compiles with other settings from now on.
func (b *Builds) Use(compiler *compile.Compiler) { b.compiler = compiler }

// SettingsFiles returns the files with the settings.
func (b *Builds) SettingsFiles() []string { return b.compiler.SettingsFiles() }

// Wait returns when nothing is compiled any more.
func (b *Builds) Wait() { b.running.Wait() }

// Artifact returns what there is of an import path, or nil.
func (b *Builds) Artifact(importPath string) *Artifact { return b.artifacts[importPath] }

// Want makes the artifacts those of these import paths, and returns the ones
// that are new.
func (b *Builds) Want(importPaths []string) (added []string) {
	for _, importPath := range b.ImportPaths() {
		if !slices.Contains(importPaths, importPath) {
			b.artifacts[importPath].cancel()
			delete(b.artifacts, importPath)
		}
	}
	for _, importPath := range importPaths {
		if b.artifacts[importPath] == nil {
			b.artifacts[importPath] = &Artifact{ImportPath: importPath, cancel: func() {}}
			added = append(added, importPath)
		}
	}
	return added
}

// Start begins to build an import path; a build under way is given up.
func (b *Builds) Start(ctx context.Context, importPath string) {
	a := b.artifacts[importPath]
	a.cancel()
	ctx, a.cancel = context.WithCancel(ctx)
	b.serial++
	a.serial = b.serial
	began := Build{ImportPath: importPath, serial: a.serial, executable: a.Executable, digest: a.Digest, Since: time.Now()}
	compiler := b.compiler
	b.running.Go(func() {
		done := b.compile(ctx, compiler, began)
		select {
		case b.Finished <- done:
		case <-ctx.Done(): // Given up.
			done.discard(began.executable)
		}
	})
}

// discard removes the executable of a build that is not used, unless it is one
// that was there before.
func (done Build) discard(before string) {
	if done.executable != before {
		os.Remove(done.executable)
	}
}

func (b *Builds) compile(ctx context.Context, compiler *compile.Compiler, done Build) Build {
	began := time.Now()
	linked := filepath.Join(b.dir, FileName(done.ImportPath))
	if done.Err = compiler.Compile(ctx, ko.StrictScheme+done.ImportPath, linked); done.Err == nil {
		done.Err = b.keep(linked, &done)
	}
	done.Took = time.Since(began)
	return done
}

// keep gives what was linked a name that the next build does not overwrite,
// unless it is the program of the build before. The go tool leaves a file alone
// that is up to date, so that the same file means the same program; a file that
// was linked again may have the same content nevertheless.
func (b *Builds) keep(linked string, done *Build) error {
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
	done.executable = filepath.Join(b.run, fmt.Sprintf("%s.%d%s", url.PathEscape(done.ImportPath), done.serial, exe))
	return Link(linked, done.executable)
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

// Take takes a build that has ended. It returns what there is of its import path now,
// and whether the program is another one; nil if nobody runs it any more, or another
// build has overtaken it.
func (b *Builds) Take(done Build) (a *Artifact, changed bool) {
	a = b.artifacts[done.ImportPath]
	switch {
	case a == nil:
		done.discard("")
		return nil, false
	case a.serial != done.serial:
		done.discard(a.Executable)
		return nil, false
	case done.Err != nil:
		return a, false
	}
	a.Failure = ""
	if a.Executable == done.executable {
		return a, false
	}
	if a.outdated != "" {
		os.Remove(a.outdated) // No instance is started from it any more.
	}
	a.outdated, a.Executable, a.Digest = a.Executable, done.executable, done.digest
	return a, true
}

// FileName makes the name of an executable of an import path. One may be the parent of
// another, so that they cannot be paths themselves.
func FileName(importPath string) string { return url.PathEscape(importPath) + exe }

// List begins to find out what an import path is made of.
func (b *Builds) List(ctx context.Context, importPath string) {
	compiler := b.compiler
	b.running.Go(func() {
		found := Listing{ImportPath: importPath}
		found.Inputs, found.Err = compiler.Inputs(ctx, ko.StrictScheme+importPath)
		select {
		case b.Listed <- found:
		case <-ctx.Done():
		}
	})
}

// Unlisted returns the import paths of which it is not known what they are made of.
func (b *Builds) Unlisted() []string {
	return slices.DeleteFunc(b.ImportPaths(), func(path string) bool { return b.artifacts[path].inputs != nil })
}

// ImportPaths returns all that are known.
func (b *Builds) ImportPaths() []string { return slices.Sorted(maps.Keys(b.artifacts)) }

// Affected returns the import paths that a change of these files concerns.
func (b *Builds) Affected(files []string) []string {
	return slices.DeleteFunc(b.ImportPaths(), func(path string) bool {
		return !slices.ContainsFunc(b.artifacts[path].watched(), func(in *compile.Inputs) bool {
			return slices.ContainsFunc(files, in.Match)
		})
	})
}

// Dirs returns the directories in which such changes happen.
func (b *Builds) Dirs() []string {
	var dirs []string
	for _, a := range b.artifacts {
		for _, in := range a.watched() {
			dirs = append(dirs, in.Dirs()...)
		}
	}
	return dirs
}
