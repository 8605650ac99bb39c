// Package daemon runs programs in the background: detached from the caller's terminal,
// with a log and a pidfile, restarted only when they are dead or no longer what is asked for.
package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Program is a program to keep running.
type Program struct {
	// Name names the pidfile (<Name>.pid) and the log (<Name>.log).
	Name string
	// Path is the executable; the last element of it is the name it is called by.
	Path string
	Args []string
	// Files are those whose content decides how it runs (configuration, certificates):
	// it is restarted when one of them changes.
	Files []string
}

// Supervisor starts and stops programs. It does not outlive the call: a program that dies
// stays dead until the next Ensure.
type Supervisor struct {
	// RunDir holds the pidfiles, LogDir the logs.
	RunDir, LogDir string
}

// LogFile is where a program's output goes.
func (s Supervisor) LogFile(name string) string {
	return filepath.Join(s.LogDir, name+".log")
}

// Ensure starts p unless it runs as described; one that runs as described before is
// stopped first. It reports whether it started anything.
func (s Supervisor) Ensure(ctx context.Context, p Program) (started bool, err error) {
	if s.Current(p) {
		return false, nil
	}
	if err := s.Stop(ctx, p.Name, stopGrace); err != nil {
		return false, err
	}
	if err := s.start(p); err != nil {
		return false, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	return true, nil
}

// Current reports whether p is running, with the arguments, files and executable it has now.
func (s Supervisor) Current(p Program) bool {
	record, ok := s.running(p.Name)
	if !ok {
		return false
	}
	want, err := p.fingerprint()
	return err == nil && record.Fingerprint == want
}

// Running reports whether the program called name is alive.
func (s Supervisor) Running(name string) bool {
	_, ok := s.running(name)
	return ok
}

func (s Supervisor) start(p Program) (err error) {
	fingerprint, err := p.fingerprint()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.LogFile(p.Name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()

	cmd := exec.Command(p.Path, p.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = s.RunDir
	// HOME: nothing is read from or written to the caller's.
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + s.RunDir}
	// A session of its own: it gets neither the terminal's signals nor its end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// Reaped here as long as this process lives, so that it does not look alive when it is not.
	go func() { _ = cmd.Wait() }() // how it ended is for its log to say
	record, err := describe(cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("it ended at once; see %s: %w", s.LogFile(p.Name), err)
	}
	record.Fingerprint = fingerprint
	return record.write(s.pidfile(p.Name))
}

func (p Program) fingerprint() (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", p.Path, p.Args)
	info, err := os.Stat(p.Path)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "%d %d\n", info.Size(), info.ModTime().UnixNano())
	for _, name := range p.Files {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

const (
	stopGrace = 10 * time.Second
	killGrace = 10 * time.Second
	pollEvery = 20 * time.Millisecond
)

// Stop ends the program called name, if it runs: it is asked to, and killed when it is
// still there after grace. Its pidfile is gone afterwards.
func (s Supervisor) Stop(ctx context.Context, name string, grace time.Duration) error {
	if record, ok := s.running(name); ok {
		if err := record.end(ctx, grace); err != nil {
			return fmt.Errorf("stopping %s: %w", name, err)
		}
	}
	if err := os.Remove(s.pidfile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (r record) end(ctx context.Context, grace time.Duration) error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, killGrace}} {
		if err := syscall.Kill(r.PID, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		if gone, err := r.awaitEnd(ctx, step.wait); gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d is still there after being killed", r.PID)
}

func (r record) awaitEnd(ctx context.Context, limit time.Duration) (bool, error) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for r.alive() {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-deadline.C:
			return !r.alive(), nil
		case <-tick.C:
		}
	}
	return true, nil
}
