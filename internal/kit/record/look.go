package record

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/koshop/koshop/internal/kit/program"
)

// absent is what a file or a directory has that is not there.
const absent = "absent"

// Look is one look at this machine, which images of a run share. Each file is read once,
// whatever number of images it is in, so a Look must not outlive the moment for which
// its answers are to hold. It may be used concurrently.
type Look struct {
	run  func(*exec.Cmd) error
	seen sync.Map // of functions, by what they look at
}

// NewLook returns a look that has seen nothing yet. The go tool and git are run by run,
// which must do what [exec.Cmd.Run] does.
func NewLook(run func(*exec.Cmd) error) *Look { return &Look{run: run} }

// aspect is what is looked at of a path.
type aspect string

const (
	content aspect = "content" // of a file, by hash
	names   aspect = "names"   // of what is in a directory
	stats   aspect = "stats"   // sizes and times of a file, or of the files in a directory
	status  aspect = "status"  // of the repository
	form    aspect = "form"    // whether it is a file, a directory or a link
	touch   aspect = "touch"   // when it was last touched
)

// at returns what there is to see. What cannot be read is never the same as before.
func (l *Look) at(what aspect, path string) string {
	see, _ := l.seen.LoadOrStore(string(what)+" "+path, sync.OnceValue(func() string { return l.see(what, path) }))
	return see.(func() string)()
}

func (l *Look) see(what aspect, path string) string {
	var text string
	var err error
	switch what {
	case content:
		text, err = hashFile(path)
	case names:
		text, err = listNames(path)
	case stats:
		text, err = listStats(path)
	case status:
		text, err = l.repository(path)
	case form:
		text, err = formOf(path)
	case touch:
		var info fs.FileInfo
		if info, err = os.Stat(path); err == nil {
			text = stat(info)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err != nil:
		return unreadable + err.Error()
	}
	return text
}

const unreadable = "unreadable: "

func isUnreadable(text string) bool { return strings.HasPrefix(text, unreadable) }

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func formOf(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	return info.Mode().Type().String(), nil
}

// listNames names what is in a directory, and whether each is a directory or a link.
func listNames(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, entry := range entries {
		fmt.Fprintf(&text, "%q %v\n", entry.Name(), entry.Type())
	}
	return hash(text.String()), nil
}

// listStats is the cheaper look at files that nobody edits: those of Go and of the module
// cache.
func listStats(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return stat(info), nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, entry := range entries {
		info, err := os.Stat(filepath.Join(path, entry.Name()))
		if err != nil {
			return "", err
		}
		if !info.IsDir() { // What is below is looked at on its own.
			fmt.Fprintf(&text, "%q %s\n", entry.Name(), stat(info))
		}
	}
	return hash(text.String()), nil
}

func stat(info fs.FileInfo) string {
	return fmt.Sprint(info.Mode(), info.Size(), info.ModTime().UnixNano(), " ", inode(info))
}

// toolchain returns which go tool compiles a program in a directory, where it is, and its
// settings, wherever they come from: there are files of the user's and of the go tool's.
func (l *Look) toolchain(ctx context.Context, dir string, recipe *program.Recipe) (string, error) {
	key := fmt.Sprintf("toolchain %q %q", dir, recipe.Env)
	ask, _ := l.seen.LoadOrStore(key, sync.OnceValues(func() (string, error) {
		cmd := recipe.GoTool(ctx, append([]string{"env", "GOROOT", "GOTOOLDIR"}, bearing...)...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := l.run(cmd); err != nil {
			return "", fmt.Errorf("go env: %w: %s", err, strings.TrimSpace(stderr.String()))
		}
		return stdout.String(), nil
	}))
	return ask.(func() (string, error))()
}

// repository describes the commit, the tags, and whether there are changes, which the
// go tool puts into an executable.
func (l *Look) repository(dir string) (string, error) {
	state, err := l.git(dir, "status", "--porcelain=v2", "--branch")
	if err != nil {
		return "", err
	}
	tags, err := l.git(dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")
	if err != nil {
		return "", err
	}
	commit, changes := "", "unchanged"
	for line := range strings.Lines(state) {
		switch {
		case strings.HasPrefix(line, "# branch.oid "):
			commit = strings.TrimSpace(strings.TrimPrefix(line, "# branch.oid "))
		case !strings.HasPrefix(line, "#"):
			changes = "changed"
		}
	}
	return commit + " " + changes + " tags " + hash(tags)[:12], nil
}

func (l *Look) git(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(context.Background(), "git", args...) // It takes milliseconds.
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := l.run(cmd); err != nil {
		return "", fmt.Errorf("git %s in %s: %w: %s", args[0], dir, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
