package up

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// state is the directory of a run and of those before it:
//
//	claims/NAMESPACE/CLAIM  persistent volumes, which outlive all runs
//	secrets/NAMESPACE/NAME  values of Secrets that the manifests do not have
//	bin/IMPORT/PATH         what the go tool linked last, so that it need not again
//	run/PID                 what belongs to the run of that process
type state struct {
	dir string
}

// openState makes the directory, and removes what runs have left that did not
// end by themselves.
func openState(dir string) (*state, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for the state directory: %w", err)
	}
	s := &state{dir: dir}
	// In a container, the run before may have had our process id.
	if err := removeLeft(s.run()); err != nil {
		return nil, err
	}
	for _, dir := range []string{s.claims(), s.executables(), s.run()} {
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

func (s *state) claims() string      { return filepath.Join(s.dir, "claims") }
func (s *state) executables() string { return filepath.Join(s.dir, "bin") }
func (s *state) run() string         { return filepath.Join(s.dir, "run", strconv.Itoa(os.Getpid())) }

// pod makes a directory for an instance.
func (s *state) pod(prefix string) (string, error) {
	dir, err := os.MkdirTemp(s.run(), prefix)
	if err != nil {
		return "", fmt.Errorf("making a directory for a pod: %w", err)
	}
	return dir, nil
}

// link gives a file one more name; where the file system has no links, it
// becomes a copy.
func link(file, name string) error {
	if os.Link(file, name) == nil {
		return nil
	}
	if err := copyFile(file, name); err != nil {
		return fmt.Errorf("keeping an executable: %w", err)
	}
	return nil
}

func copyFile(file, name string) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// sweep removes the directories of processes that are no more.
func (s *state) sweep() error {
	runs, err := os.ReadDir(filepath.Dir(s.run()))
	if err != nil {
		return fmt.Errorf("reading the state directory: %w", err)
	}
	for _, run := range runs {
		pid, err := strconv.Atoi(run.Name())
		if err != nil || pid == os.Getpid() || alive(pid) {
			continue
		}
		if err := removeLeft(filepath.Join(filepath.Dir(s.run()), run.Name())); err != nil {
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

// close removes what belonged to this run.
func (s *state) close() error {
	if err := os.RemoveAll(s.run()); err != nil {
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
