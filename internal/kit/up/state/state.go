// Package state keeps what a run of `ko up` leaves for the next, and what belongs to
// the run alone.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Dir is the directory of a run and of those before it:
//
//	claims/NAMESPACE/CLAIM  persistent volumes, which outlive all runs
//	secrets/NAMESPACE/NAME  values of Secrets that the manifests do not have
//	bin/IMPORT/PATH         what the go tool linked last, so that it need not again
//	run/PID                 what belongs to the run of that process
type Dir struct {
	path string
}

// Open makes the directory, and removes what runs have left that did not
// end by themselves.
func Open(dir string) (*Dir, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for the state directory: %w", err)
	}
	s := &Dir{path: dir}
	// In a container, the run before may have had our process id.
	if err := removeLeft(s.Run()); err != nil {
		return nil, err
	}
	for _, dir := range []string{s.Claims(), s.Executables(), s.Run()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the state directory: %w", err)
		}
	}
	// Git leaves the directory alone, wherever it is.
	if err := ignoreByGit(dir); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	return s, s.sweep()
}

// Path returns the directory itself, absolute.
func (s *Dir) Path() string { return s.path }

// Claims returns where persistent volumes are, by namespace and claim.
func (s *Dir) Claims() string { return filepath.Join(s.path, "claims") }

// Executables returns where the go tool finds what it linked last.
func (s *Dir) Executables() string { return filepath.Join(s.path, "bin") }

// Run returns the directory of this run.
func (s *Dir) Run() string { return filepath.Join(s.path, "run", strconv.Itoa(os.Getpid())) }

// NewPod makes a directory for a pod of this run.
func (s *Dir) NewPod(prefix string) (string, error) {
	dir, err := os.MkdirTemp(s.Run(), prefix)
	if err != nil {
		return "", fmt.Errorf("making a directory for a pod: %w", err)
	}
	return dir, nil
}

// sweep removes the directories of processes that are no more.
func (s *Dir) sweep() error {
	runs, err := os.ReadDir(filepath.Dir(s.Run()))
	if err != nil {
		return fmt.Errorf("reading the state directory: %w", err)
	}
	for _, run := range runs {
		pid, err := strconv.Atoi(run.Name())
		if err != nil || pid == os.Getpid() || alive(pid) {
			continue
		}
		if err := removeLeft(filepath.Join(filepath.Dir(s.Run()), run.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeLeft removes the directory of an earlier run. What a container has written
// may be another user's, and stays.
func removeLeft(dir string) error {
	if err := os.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("removing what an earlier run left: %w", err)
	}
	return nil
}

// Close removes what belonged to this run.
func (s *Dir) Close() error {
	if err := os.RemoveAll(s.Run()); err != nil {
		return fmt.Errorf("removing the run's directory: %w", err)
	}
	return nil
}

// ignoreByGit hides a directory from git, unless it has a .gitignore already:
// with --state . that is the repository's.
func ignoreByGit(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, ".gitignore"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString("*\n")
	return errors.Join(err, file.Close())
}
