package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/koshop/koshop/internal/kit/process"
)

// tools make a database.
type tools struct {
	*Server
	installation Installation
	user         *process.User
}

// initialize makes the data directory under another name, which it gets when
// all is done: what is cut short is not taken for a database.
func (t *tools) initialize(ctx context.Context) error {
	settings, err := readSettings(t.Env)
	if err != nil {
		return err
	}
	parent, name := filepath.Split(t.Data)
	unfinished := filepath.Join(parent, "."+name+".unfinished")
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("removing what an earlier start has left: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return err
	}
	if err := t.user.Own(unfinished); err != nil {
		return err
	}
	if err := t.fill(ctx, unfinished, settings); err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Remove(t.Data); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // It was empty when we looked.
	}
	return os.Rename(unfinished, t.Data)
}

func (t *tools) fill(ctx context.Context, data string, settings settings) error {
	arguments := []string{
		"--pgdata=" + data, "--username=" + settings.user, "--auth=trust", "--encoding=UTF8", "--locale=" + locale(),
	}
	if err := t.run(t.command(ctx, "initdb", append(arguments, settings.initdb...)...)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(settings.clients()), 0o600); err != nil {
		return err
	}
	complete := t.command(ctx, "postgres", "--single", "-D", data, "-c", "exit_on_error=on", "postgres")
	complete.Stdin = strings.NewReader(settings.statements())
	if err := t.run(complete); err != nil {
		return err
	}
	return t.runScripts(ctx, data, settings)
}

// locale is one that sorts alike everywhere and knows the letters of Unicode.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8"
	}
	return "C.UTF-8"
}

func (t *tools) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.installation.program(name), args...)
	cmd.Env, cmd.Dir = t.env(), filepath.Dir(t.Data)
	process.SetUser(cmd, t.user)
	return cmd
}

// run runs a tool; what it said of an error is in ours.
func (t *tools) run(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := t.Run(cmd); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, reason(said.String()))
	}
	return nil
}

// reason returns the lines of a text that say what is wrong, or else the last
// one, in one line.
func reason(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var wrong []string
	for _, line := range lines {
		if strings.Contains(line, "FATAL:") || strings.Contains(line, "ERROR:") || strings.Contains(line, "error:") {
			wrong = append(wrong, strings.TrimSpace(line))
		}
	}
	if len(wrong) == 0 {
		wrong = lines[len(lines)-1:]
	}
	return strings.Join(wrong, "; ")
}

// env is without the manifests' variables: the server has no use for the password.
func (t *tools) env() []string {
	env := []string{"PATH=" + t.installation.Bin + string(os.PathListSeparator) + os.Getenv("PATH"), "LC_MESSAGES=C"}
	for _, name := range []string{"HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT"} {
		if value, found := os.LookupEnv(name); found {
			env = append(env, name+"="+value)
		}
	}
	return env
}
