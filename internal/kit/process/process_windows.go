package process

import (
	"os"
	"os/exec"
)

// There are no process groups and no signals here: a program is killed at once,
// and its children and those of a killed ko are on their own.

func isolate(*exec.Cmd) {}

func terminate(p *os.Process) { p.Kill() }

func interrupt(p *os.Process) error { return p.Kill() }

func kill(p *os.Process) { p.Kill() }

type guard struct{}

func newGuard() (*guard, error) { return &guard{}, nil }

func (*guard) watch(map[*exec.Cmd]struct{}) error { return nil }

func (*guard) afterKill([]string) error { return nil }

func (*guard) close() error { return nil }

// SetUser does nothing: programs run as ourselves.
func SetUser(*exec.Cmd, *User) {}

// Unprivileged returns nil, as there is no root here.
func Unprivileged(...string) (*User, error) { return nil, nil }

// Own does nothing.
func (*User) Own(string) error { return nil }

// Admit does nothing.
func (*User) Admit(string, string) error { return nil }

// InNamespace is not called, as there is no User.
func (u *User) InNamespace() (*User, error) { return u, nil }
