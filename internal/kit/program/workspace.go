package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// checkWorkspace refuses a module that a go.work above it does not list: the go tool
// compiles nothing of it.
func (s *Settings) checkWorkspace(ctx context.Context, m module) error {
	cmd := exec.CommandContext(ctx, GoTool(), "env", "GOWORK")
	var out strings.Builder
	cmd.Dir, cmd.Stdout = m.dir, &out
	if err := s.run(cmd); err != nil {
		return fmt.Errorf("asking the go tool for the workspace of %s: %w", m.dir, err)
	}
	file := strings.TrimSpace(out.String())
	if file == "" || file == "off" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading a workspace: %w", err)
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return fmt.Errorf("reading a workspace: %w", err)
	}
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		if sameFile(dir, m.dir) {
			return nil
		}
	}
	return fmt.Errorf("module %s in %s is not in the workspace %s: add it there by `go work use %[2]s`, or set GOWORK=off", m.path, m.dir, file)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
