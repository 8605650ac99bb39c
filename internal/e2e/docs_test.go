//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// missing says what the command needs and is not there, or "".
func (c command) missing(t *testing.T) string {
	for _, program := range c.needs {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not on PATH"
		}
		if program != "telepresence" {
			continue
		}
		managers, err := connect(t).AppsV1().Deployments("ambassador").List(t.Context(), metav1.ListOptions{})
		if err != nil || len(managers.Items) == 0 {
			return "the cluster has no traffic manager: `telepresence helm install`"
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
	startFromOurCluster(t)
	setAside(t, filepath.Join(repository, ".ko")) // The documents begin with an empty shop.
	documents := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		documents = append(documents, slices.DeleteFunc(glob(t, pattern), isChapter)...)
	}
	for _, document := range documents {
		t.Run(document, func(t *testing.T) { follow(t, repository, document) })
	}
}

// The chapters of the workshop are followed in their order, as an attendee would:
// in a checkout of one's own, which is edited on the way.
func TestWorkshopChapters(t *testing.T) {
	startFromOurCluster(t)
	checkout := clone(t)
	if _, err := run(t, checkout, "", "sh", "-c", "git init --quiet && git add --all && git -c user.name=a -c user.email=a@example.com commit --quiet --message=begin"); err != nil {
		t.Fatal(err)
	}
	cluster, err := filepath.Abs(filepath.Join(repository, ".cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(cluster, filepath.Join(checkout, ".cluster")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, checkout, "", "go", "build", "-o", "bin/", "./cmd/ko", "./cmd/workshop"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := exec.LookPath("telepresence"); err == nil {
			exec.Command("telepresence", "quit", "--stop-daemons").Run()
		}
	})
	for _, document := range slices.DeleteFunc(glob(t, "docs/workshop/*.md"), func(name string) bool { return !isChapter(name) }) {
		done := t.Run(filepath.Base(document), func(t *testing.T) {
			checkFails(t, checkout, document)
			follow(t, checkout, document)
		})
		if !done {
			return // The next one begins where this one ends.
		}
	}
}

// checkFails fails unless the check of a chapter fails before that is followed: it
// is the chapter that turns ✗ to ✓.
func checkFails(t *testing.T, checkout, document string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, document))
	if err != nil {
		t.Fatal(err)
	}
	all := commands(string(text))
	check := all[slices.IndexFunc(all, func(c command) bool { return strings.HasPrefix(c.text, "bin/workshop check ") })]
	if check.missing(t) != "" {
		return
	}
	if out, err := run(t, checkout, "", "sh", "-c", check.text); err == nil {
		t.Errorf("before anything is done, $ %s\n%s", check.text, out.stdout)
	}
}

// isChapter tells the chapters, which are numbered, from other documents.
func isChapter(document string) bool {
	chapter, err := filepath.Match("docs/workshop/[0-9]*.md", document)
	return err == nil && chapter
}

// glob returns paths relative to the repository.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(repository), pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func startFromOurCluster(t *testing.T) {
	t.Helper()
	own, err := filepath.Abs(filepath.Join(repository, ".cluster", "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CONTEXT") != "" || os.Getenv("KUBECONFIG") != own {
		t.Skip("the documents' commands start from `make cluster`, and CONTEXT or KUBECONFIG names another cluster")
	}
	connect(t).claimNamespace(t, "api")
	t.Setenv("TILT_WEB_MODE", "prod") // For one that was built from source.
	t.Setenv("DO_NOT_TRACK", "1")
}

// follow runs the commands of a document in a checkout.
func follow(t *testing.T, checkout, document string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, document))
	if err != nil {
		t.Fatal(err)
	}
	shell := startShell(t, checkout)
	for _, command := range commands(string(text)) {
		if missing := command.missing(t); missing != "" {
			t.Logf("line %d: %s: not run: $ %s", command.line, missing, command.text)
			continue
		}
		if command.terminal {
			runOn(t, checkout, command)
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
