package postgres

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Installation is a PostgreSQL that is installed on this machine.
type Installation struct {
	Bin     string // the directory of its programs
	Version string // such as 15.12
	Major   int
}

// String names the installation: "postgresql 15.12, /usr/lib/postgresql/15/bin".
func (i Installation) String() string { return "postgresql " + i.Version + ", " + i.Bin }

func (i Installation) program(name string) string { return filepath.Join(i.Bin, name) }

// places are where packages keep the programs that they do not put on PATH: those
// of Debian, of the PostgreSQL project for Red Hat, and of Homebrew.
var places = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
}

// Installed returns the installations on PATH and in the usual places, the
// newest first.
func Installed(ctx context.Context) []Installation {
	var bins []string
	if server, err := exec.LookPath("postgres"); err == nil {
		if server, err = filepath.EvalSymlinks(server); err == nil {
			bins = append(bins, filepath.Dir(server))
		}
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern) // It fails on a bad pattern only.
		bins = append(bins, found...)
	}
	slices.Sort(bins)
	var all []Installation
	for _, bin := range slices.Compact(bins) {
		if i, err := inspect(ctx, bin); err == nil {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b Installation) int { return cmp.Compare(b.Major, a.Major) })
	return all
}

// numbered matches what `postgres --version` prints.
var numbered = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`)

// inspect fails if bin does not hold what a database is made and run with.
func inspect(ctx context.Context, bin string) (Installation, error) {
	i := Installation{Bin: bin}
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(i.program(name)); err != nil {
			return i, err
		}
	}
	said, err := exec.CommandContext(ctx, i.program("postgres"), "--version").Output()
	if err != nil {
		return i, fmt.Errorf("asking %s for its version: %w", i.program("postgres"), err)
	}
	match := numbered.FindSubmatch(said)
	if match == nil {
		return i, fmt.Errorf("%s says that its version is %q", i.program("postgres"), said)
	}
	i.Version = string(match[1])
	i.Major, err = strconv.Atoi(string(match[2]))
	return i, err
}

// choose returns the installation for a database: the one that made it, or for
// a new one that of the image's major version, or else the newest.
func choose(installed []Installation, kept, wanted int) (Installation, bool) {
	for _, i := range installed {
		if i.Major == kept || kept == 0 && i.Major == wanted {
			return i, true
		}
	}
	if kept != 0 || len(installed) == 0 {
		return Installation{}, false
	}
	return installed[0], true
}

// major returns the major version that an image's tag begins with, 0 if it does not.
func major(tag string) int {
	digits, _, _ := strings.Cut(tag, ".")
	digits, _, _ = strings.Cut(digits, "-")
	n, _ := strconv.Atoi(digits) // Something else is no version.
	return n
}

// howToInstall says what to do for a major version that is not here.
func howToInstall(major int) string {
	if runtime.GOOS == "darwin" {
		return fmt.Sprintf("brew install postgresql@%d", major)
	}
	return fmt.Sprintf("install PostgreSQL %d (Debian: apt install postgresql-%[1]d)", major)
}
