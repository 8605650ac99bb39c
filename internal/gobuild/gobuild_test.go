// Package gobuild tests the script by which make compiles programs.
package gobuild

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// newModule makes a module of a program and packages that nobody has compiled
// before, so that they are in no cache. What all programs have of Go's own is.
func newModule(t *testing.T, packages int) string {
	t.Helper()
	if out, err := exec.Command("go", "build", "runtime").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	serial := time.Now().UnixNano()
	imports, uses := "", ""
	for i := range packages {
		write(t, dir, fmt.Sprintf("p%d/p.go", i), fmt.Sprintf("package p%d\n\nconst Serial = %d\n", i, serial+int64(i)))
		imports += fmt.Sprintf("\t\"example.com/app/p%d\"\n", i)
		uses += fmt.Sprintf("\tprintln(p%d.Serial)\n", i)
	}
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.26\n")
	write(t, dir, "main.go", "package main\n\nimport (\n"+imports+")\n\nfunc main() {\n"+uses+"}\n")
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// compile runs the script as make does, and returns what it prints.
func compile(t *testing.T, shell []string, dir string) (printed string, err error) {
	t.Helper()
	script, err := filepath.Abs("gobuild.sh")
	if err != nil {
		t.Fatal(err)
	}
	args := append(shell[1:], script, "bin/app", "build", "-o", "bin/app", ".")
	cmd := exec.Command(shell[0], args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shells returns those that are here; any of them may be sh.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, shell := range [][]string{{"sh"}, {"bash", "--posix"}, {"dash"}, {"busybox", "sh"}} {
		if testing.Short() && shell[0] != "sh" {
			continue
		}
		if _, err := exec.LookPath(shell[0]); err == nil {
			found[shell[0]] = shell
		}
	}
	if len(found) == 0 {
		t.Skip("there is no shell")
	}
	return found
}

func expect(t *testing.T, printed, want string) {
	t.Helper()
	if !regexp.MustCompile(`^` + want + `$`).MatchString(printed) {
		t.Errorf("it printed\n%q\nwant\n%q", printed, want)
	}
}

// In a log it says that it compiles, and then that it has; an edit is said, too,
// and nothing where there is nothing to do.
func TestInALog(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			dir := newModule(t, 110)
			printed, err := compile(t, shell, dir)
			if err != nil {
				t.Fatalf("%v\n%s", err, printed)
			}
			expect(t, printed, "compiling bin/app\ncompiling bin/app: 100 of 111 packages\ncompiled bin/app in [0-9]+ s\n")
			if out, err := exec.Command(filepath.Join(dir, "bin/app")).CombinedOutput(); err != nil || strings.Count(string(out), "\n") != 110 {
				t.Errorf("the program: error %v, printed\n%s", err, out)
			}
			if printed, err = compile(t, shell, dir); err != nil || printed != "" {
				t.Errorf("up to date: error %v, printed %q", err, printed)
			}
			write(t, dir, "p7/p.go", fmt.Sprintf("package p7\n\nconst Serial = %d\n", time.Now().UnixNano()))
			if printed, err = compile(t, shell, dir); err != nil {
				t.Errorf("an edit: %v", err)
			}
			expect(t, printed, "compiling bin/app\n")
		})
	}
}

// What the compiler says is shown as it is, with the go command's exit status.
func TestErrors(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			dir := newModule(t, 20)
			write(t, dir, "p7/p.go", "package p7\n\nconst Serial = \"\\\\n%s\" + 1\n\nfunc f() int { g(1, 2); return \"\" }\n\nfunc g(a string) {}\n")
			build := exec.Command("go", "build", "-o", os.DevNull, ".")
			build.Dir = dir
			want, _ := build.CombinedOutput()
			printed, err := compile(t, shell, dir)
			failed, ok := errors.AsType[*exec.ExitError](err)
			if !ok || failed.ExitCode() != 1 || !strings.Contains(printed, string(want)) || len(want) == 0 {
				t.Errorf("error %v, printed\n%s\nwant in it\n%s", err, printed, want)
			}
			if strings.Contains(printed, "compiled") {
				t.Errorf("it says that it has compiled:\n%s", printed)
			}
			write(t, dir, "main.go", "package main\n\nimport _ \"example.com/app/none\"\n")
			if printed, err := compile(t, shell, dir); err == nil || !strings.Contains(printed, "example.com/app/none") {
				t.Errorf("a package that is not there: error %v, printed\n%s", err, printed)
			}
		})
	}
}

// On a terminal there is one line, which is drawn again and gone in the end.
func TestOnATerminal(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("there is no program script, which makes a terminal")
	}
	dir := newModule(t, 30)
	file, err := filepath.Abs("gobuild.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("script", "--quiet", "--return", "--command", "sh '"+file+"' bin/app build -o bin/app .", os.DevNull)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	draw := "\r\x1b\\[K"
	expect(t, string(out), draw+"compiling bin/app("+draw+"compiling bin/app: [0-9]+ of [0-9]+ packages)+"+draw+"compiling bin/app: 30 of 31 packages"+draw+"compiling bin/app: linking"+draw+draw+"compiled bin/app in [0-9]+ s\r\n")
}
