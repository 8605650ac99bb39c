package databasetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errNotStarted means that no test has asked for a PostgreSQL database yet.
var errNotStarted = errors.New("the test binary's PostgreSQL is not running")

// Durable makes commits to the database of a URL that [Postgres] returned survive
// [CrashPostgres], which the server of this package does not care for otherwise.
func Durable(ctx context.Context, database string) error {
	s := running.Load()
	if s == nil {
		return errNotStarted
	}
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	return s.exec(ctx, "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET synchronous_commit = on")
}

// CrashPostgres ends the test binary's server without a shutdown and starts it
// again. It returns when the server has recovered.
func CrashPostgres() error {
	s := running.Load()
	if s == nil {
		return errNotStarted
	}
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // PostgreSQL's immediate shutdown
		return fmt.Errorf("crash postgres: %w", err)
	}
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		return errors.New("postgres does not end")
	}
	if err := s.launch(); err != nil {
		return fmt.Errorf("start postgres again: %w", err)
	}
	return s.await()
}

// FreezePostgres stops all processes of the test binary's server for a while.
func FreezePostgres(d time.Duration) error {
	s := running.Load()
	if s == nil {
		return errNotStarted
	}
	main := s.cmd.Process.Pid
	if err := syscall.Kill(main, syscall.SIGSTOP); err != nil { // so that it starts no more
		return fmt.Errorf("freeze postgres: %w", err)
	}
	children, err := childrenOf(main)
	for _, pid := range children {
		err = errors.Join(err, ignoreEnded(syscall.Kill(pid, syscall.SIGSTOP)))
	}
	time.Sleep(d)
	for _, pid := range append(children, main) {
		err = errors.Join(err, ignoreEnded(syscall.Kill(pid, syscall.SIGCONT)))
	}
	return err
}

func ignoreEnded(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// childrenOf returns the processes that the process has started.
func childrenOf(parent int) (children []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // It has ended.
		}
		// The name, in parentheses, may contain anything; the state and the parent follow.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil {
			return nil, err
		}
		children = append(children, pid)
	}
	return children, nil
}
