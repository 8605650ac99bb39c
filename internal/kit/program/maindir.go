package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrNotCommand says that a package cannot become an executable.
var ErrNotCommand = errors.New("it is not a main package; " + errNotFound.Error())

// MainDir returns the absolute directory of the main package. It fails if the
// package is not there or is no command, and costs a `go list`, no compilation.
func (r *Recipe) MainDir(ctx context.Context) (string, error) {
	cmd := r.GoList(ctx, append(r.ListArgs("-e", "-find", "-json=Dir,Name,Error"), "--", r.ImportPath)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := r.run(cmd); err != nil {
		return "", fmt.Errorf("go list: %w: %s", err, Tidy(r.Dir, stderr.String()))
	}
	var found struct {
		Dir, Name string
		Error     *struct{ Err string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
		return "", fmt.Errorf("reading what `go list` says: %w", err)
	}
	return found.Dir, CheckCommand(found.Dir, found.Name, errorText(found.Error))
}

func errorText(err *struct{ Err string }) string {
	if err == nil {
		return ""
	}
	return err.Err
}

// CheckCommand refuses what can never become an executable, however its code is
// changed: dir, name and failure are what `go list` says of the package. One whose
// code is too broken to have a name passes.
func CheckCommand(dir, name, failure string) error {
	switch {
	case dir == "" && failure != "", strings.Contains(failure, "no non-test Go files"), strings.Contains(failure, "no Go files"):
		return fmt.Errorf("%s; %w", failure, errNotFound)
	case name != "" && name != "main":
		return ErrNotCommand
	}
	return nil
}
