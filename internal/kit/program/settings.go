// Package program finds the program that a reference names, and decides how it
// is compiled: in which directory, with which environment and with which flags.
// Images and processes of this machine are compiled by the same decision.
//
// The settings are those of upstream ko, and so are the rules: pkg/build/gobuild.go,
// pkg/build/gobuilds.go and pkg/commands/resolver.go of github.com/google/ko v0.19.1.
// One rule differs. If .ko.yaml has build configurations with directories, but none
// for a program, upstream compiles the program in the directory of any of them. Here
// such a program is compiled where the go tool finds it: in the working directory,
// or in the module of the same repository that it belongs to.
package program

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/koyaml"
)

// Settings say how programs are compiled. They may be used concurrently.
type Settings struct {
	// Options are upstream's, completed from .ko.yaml and the KO_… environment.
	Options options.BuildOptions

	file string
	run  func(*exec.Cmd) error

	mu    sync.Mutex
	found map[string]*Program
}

// Load completes upstream's options from .ko.yaml and the KO_… environment. They
// are read once; after a change, load them again. The go tool and git are run by
// run, which must do what [exec.Cmd.Run] does.
func Load(opts *options.BuildOptions, run func(*exec.Cmd) error) (*Settings, error) {
	s := &Settings{Options: *opts, run: run, found: map[string]*Program{}}
	var err error
	if s.file, err = filepath.Abs(koyaml.File(opts.WorkingDirectory)); err != nil {
		return nil, fmt.Errorf("finding the build settings: %w", err)
	}
	if err := s.Options.LoadConfig(); err != nil {
		return nil, fmt.Errorf("reading the build settings: %w", koyaml.Explain(opts.WorkingDirectory, err))
	}
	return s, nil
}

// File returns the absolute path of the file that holds the settings, .ko.yaml as
// a rule, whether it exists or not.
func (s *Settings) File() string { return s.file }

// Files returns the files whose changes are changes of the settings: the file that
// holds them, and if that is a link, what it leads to.
func (s *Settings) Files() []string {
	files := []string{s.file}
	if real, err := filepath.EvalSymlinks(s.file); err == nil && real != s.file {
		files = append(files, real)
	}
	return files
}

// Jobs returns how many programs may be compiled at once.
func (s *Settings) Jobs() int64 {
	return int64(cmp.Or(max(s.Options.ConcurrentBuilds, 0), runtime.GOMAXPROCS(0)))
}

// workingDirectory is where references are resolved.
func (s *Settings) workingDirectory() string { return cmp.Or(s.Options.WorkingDirectory, ".") }
