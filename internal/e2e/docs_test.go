//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command is one command that a document shows, with the output below it.
type command struct {
	line int
	text string
	want string // "" where the document shows no output
	// terminal means that it runs on, in a terminal of its own.
	terminal bool
	needs    []string // programs that must be on PATH for it to be run
}

// missing returns the first program that the command needs and that is not there.
func (c command) missing() string {
	for _, program := range c.needs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}

// Every command in a ```console block of the README and of docs is run, in
// order, in one shell at the root of the repository, and what the document
// shows of its output is compared. In shown output "…" stands for anything. The
// command of a ```console terminal block runs on until the end of the document.
// Other words behind it are programs, such as tilt, without which it is not run.
func TestDocuments(t *testing.T) {
	own, err := filepath.Abs(filepath.Join(repository, ".cluster", "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CONTEXT") != "" || os.Getenv("KUBECONFIG") != own {
		t.Skip("the documents' commands start from `make cluster`, and CONTEXT or KUBECONFIG names another cluster")
	}
	connect(t).claimNamespace(t, "api")
	setAside(t, filepath.Join(repository, ".ko")) // The documents begin with an empty shop.
	documents := []string{filepath.Join(repository, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	for _, document := range documents {
		t.Run(filepath.Base(document), func(t *testing.T) {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			shell := startShell(t)
			for _, command := range commands(string(text)) {
				if program := command.missing(); program != "" {
					t.Logf("line %d: %s is not on PATH: not run: $ %s", command.line, program, command.text)
					continue
				}
				if command.terminal {
					runOn(t, command)
					continue
				}
				got, status := shell.run(t, command.text)
				if status != "0" {
					t.Fatalf("line %d: $ %s\nexit status %s\n%s", command.line, command.text, status, got)
				}
				if command.want != "" && !shown(command.want).MatchString(got) {
					t.Errorf("line %d: $ %s\nprinted\n%s\nthe document shows\n%s", command.line, command.text, got, command.want)
				}
			}
		})
	}
}

// setAside puts a directory back at the end of the test, whatever stands in its
// place by then.
func setAside(t *testing.T, dir string) {
	t.Helper()
	aside := dir + ".aside"
	err := os.Rename(dir, aside)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		if err := os.Rename(aside, dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}

// commands finds what a document has in ```console blocks: a line that begins
// with "$ " is a command, "> " continues it, all else is output.
func commands(document string) []command {
	var found []command
	inside, terminal := false, false
	var needs []string
	for i, line := range strings.Split(document, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			words := append(strings.Fields(line[3:]), "")
			inside, terminal = words[0] == "console", slices.Contains(words, "terminal")
			needs = slices.DeleteFunc(words[1:], func(word string) bool { return word == "terminal" || word == "" })
		case !inside:
		case strings.HasPrefix(line, "$ "):
			found = append(found, command{line: i + 1, text: line[2:], terminal: terminal, needs: needs})
		case strings.HasPrefix(line, "> "):
			found[len(found)-1].text += "\n" + line[2:]
		default:
			found[len(found)-1].want += line + "\n"
		}
	}
	return found
}

// shown turns shown output into an expression for the real one.
func shown(want string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = regexp.MustCompile(`(?m)^…$`).ReplaceAllString(pattern, `(?s:.*)`)
	return regexp.MustCompile(`^\s*` + strings.ReplaceAll(pattern, "…", `.*`) + `\s*$`)
}
