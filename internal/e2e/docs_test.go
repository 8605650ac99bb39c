//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every command in the README and in docs is run, in order, in one shell at the
// root of the repository, and what the document shows of its output is compared.
// In shown output "…" stands for anything.
func TestDocuments(t *testing.T) {
	startFromOurCluster(t)
	setAside(t, filepath.Join(repository, ".ko")) // The documents begin with an empty shop.
	documents := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		documents = append(documents, slices.DeleteFunc(glob(t, pattern), isChapter)...)
	}
	for _, document := range documents {
		t.Run(document, func(t *testing.T) {
			claimTelepresence(t, document)
			follow(t, reader{dir: repository}, document)
		})
	}
}

// The chapters of the workshop are followed in their order, as their reader
// would: in a checkout of one's own, which is edited on the way, and in which
// .cluster/env says where the cluster is.
func TestWorkshopChapters(t *testing.T) {
	startFromOurCluster(t)
	claimTelepresence(t, "docs/workshop/05-connect.md")
	r := newReader(t)
	cluster, err := filepath.Abs(filepath.Join(repository, ".cluster"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(cluster, filepath.Join(r.dir, ".cluster")); err != nil {
		t.Fatal(err)
	}
	r.followChapters(t, "docs/workshop/*.md")
}

// The same chapters are for the attendee of a class, who has a namespace and
// nothing else; what is before and behind them is not about that.
func TestWorkshopChaptersInAClass(t *testing.T) {
	startFromOurCluster(t)
	claimTelepresence(t, "docs/workshop/05-connect.md") // The class needs rights there.
	room := newClassroom(t)
	room.claimNamespace(t, "api-e2e-grace")
	room.must(t, "up", "--class", "e2e", "--attendees", "e2e-grace")
	t.Cleanup(func() {
		down := exec.Command(room.program, onCluster("class", "--dir", room.dir, "down", "--class", "e2e", "--yes")...)
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("class down: %v\n%s", err, out)
		}
	})
	r := newReader(t)
	if err := os.Mkdir(filepath.Join(r.dir, ".cluster"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(r.dir, ".cluster"), "env", "export KUBECONFIG="+room.kubeconfig("e2e-grace")+
		"\nexport KO_DOCKER_REPO="+os.Getenv("KO_DOCKER_REPO")+"/grace\nexport NAMESPACE=api-e2e-grace\n"+
		"export KO_DEFAULTBASEIMAGE="+os.Getenv("KO_DEFAULTBASEIMAGE")+"\n") // The cluster of the test has no other.
	r.followChapters(t, "docs/workshop/0[2-8]*.md")
}

// reader follows documents.
type reader struct {
	dir string
	env []string // nil for that of the test
}

// newReader has a checkout in Git, the programs that chapter 1 builds, and no
// variable that says where a cluster is.
func newReader(t *testing.T) reader {
	t.Helper()
	r := reader{dir: clone(t)}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains([]string{"CONTEXT", "KUBECONFIG", "NAMESPACE", "KO", "KO_DOCKER_REPO", "KO_DEFAULTBASEIMAGE"}, name) {
			r.env = append(r.env, variable)
		}
	}
	for _, script := range []string{
		"git init --quiet && git add --all && git -c user.name=a -c user.email=a@example.com commit --quiet --message=begin",
		"go build -o bin/ ./cmd/ko ./cmd/workshop",
	} {
		if _, err := run(t, r.dir, "", "sh", "-c", script); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r reader) followChapters(t *testing.T, pattern string) {
	t.Helper()
	for _, document := range slices.DeleteFunc(glob(t, pattern), func(name string) bool { return !isChapter(name) }) {
		done := t.Run(filepath.Base(document), func(t *testing.T) {
			r.checkFails(t, document)
			follow(t, r, document)
		})
		if !done {
			return // The next one begins where this one ends.
		}
	}
}

// checkFails fails unless the check of a chapter fails before that is followed: it
// is the chapter that turns ✗ to ✓.
func (r reader) checkFails(t *testing.T, document string) {
	t.Helper()
	all := read(t, document)
	check := all[slices.IndexFunc(all, func(c command) bool {
		return strings.HasPrefix(c.text, "bin/workshop check ") && !strings.Contains(c.text, "--wait")
	})]
	if check.missing(t) != "" {
		return
	}
	out, status := startShell(t, r).run(t, ". .cluster/env; "+check.text)
	if status != "1" || !strings.Contains(out, " ✗ ") {
		t.Errorf("before anything is done, $ %s\nexit status %s\n%s", check.text, status, out)
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

// read returns the commands of a document.
func read(t *testing.T, document string) []command {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, document))
	if err != nil {
		t.Fatal(err)
	}
	return commands(t, string(text))
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

// claimTelepresence gives the cluster a traffic manager for a document that takes
// it for granted, and ends the connection that a document leaves.
func claimTelepresence(t *testing.T, document string) {
	t.Helper()
	all := read(t, document)
	needs := func(c command) bool { return c.isWith("telepresence") && c.missing(t) == "" }
	installs := func(c command) bool { return strings.HasPrefix(c.text, "telepresence helm install") }
	if !slices.ContainsFunc(all, needs) {
		return
	}
	const manager = "ambassador" // as the chart has it
	if slices.ContainsFunc(all, installs) {
		connect(t).claimNamespace(t, manager)
	} else {
		installManager(t, manager)
	}
	t.Cleanup(func() { mustTelepresence(t, "quit", "--stop-daemons") })
}

// follow runs the commands of a document.
func follow(t *testing.T, r reader, document string) {
	t.Helper()
	shell := startShell(t, r)
	var terminals []*terminal
	for _, command := range read(t, document) {
		if missing := command.missing(t); missing != "" {
			t.Logf("line %d: %s: not run: $ %s", command.line, missing, command.text)
			continue
		}
		switch {
		case command.gate:
			command.isRunByTheGate(t)
		case command.terminal:
			terminals = append(terminals, openTerminal(t, r, command))
		case command.interrupts:
			for _, terminal := range terminals {
				terminal.interrupt(t)
			}
			terminals = nil
		default:
			got, status := shell.run(t, command.text)
			if status != "0" {
				t.Fatalf("line %d: $ %s\nexit status %s\n%s", command.line, command.text, status, got)
			}
			if command.want != "" && !shown(command.want).MatchString(got) {
				t.Errorf("line %d: $ %s\nprinted\n%s\nthe document shows\n%s", command.line, command.text, got, command.want)
			}
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
