package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/workshop/report"
)

// run runs a command line and returns what it prints.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	root := command()
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestMistakes(t *testing.T) {
	t.Setenv("KUBECONFIG", "testdata/missing")
	for line, want := range map[string]string{
		"check wages":          `there is no chapter "wages": there are laptop, users, products, deploy, connect, payments, gateway, duplicate, class, preview`,
		"check deploy connect": "one chapter at a time, or none for all, not deploy connect",
		"check -o yaml":        `--output "yaml": want json, or nothing for people`,
		"check laptop --front-door http://localhost:8080": `--front-door "http://localhost:8080": want localhost:PORT`,
		"check laptop --front-door 127.0.0.1:8080":        `--front-door "127.0.0.1:8080": want localhost:PORT`,
		"check laptop --front-door localhost":             `--front-door "localhost": want localhost:PORT`,
		"check laptop --front-door localhost:http":        `--front-door "localhost:http": want localhost:PORT`,
		"check laptop --front-door localhost:0":           `--front-door "localhost:0": want localhost:PORT`,
		"check laptop --front-door localhost:65536":       `--front-door "localhost:65536": want localhost:PORT`,
		"doctor deploy":         `unknown command "deploy" for "workshop doctor"`,
		"reset --context=other": `context "other" does not exist`,
	} {
		if _, err := run(t, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("workshop %s: error %v, want %s", line, err, want)
		}
	}
}

// What is not begun fails, with the first thing to do.
func TestCheckFailsWhereNothingIs(t *testing.T) {
	out, err := run(t, "check", "laptop", "--front-door", "localhost:1")
	if err != errSaid || !strings.Contains(out, "✗ front door") || !strings.Contains(out, "→ make up") || !strings.Contains(out, "– user flow") {
		t.Errorf("error %v, printed\n%s", err, out)
	}
	if out, err = run(t, "check", "laptop", "--front-door", "localhost:1", "-o", "json"); err != errSaid || !strings.HasPrefix(out, "{\n  \"passed\": false,") {
		t.Errorf("error %v, printed\n%s", err, out)
	}
	if out, err = run(t, "check", "deploy", "--context", "other"); err != errSaid || !strings.Contains(out, `✗ cluster`) || !strings.Contains(out, "make cluster") {
		t.Errorf("error %v, printed\n%s", err, out)
	}
}

// A terminal that has not read .cluster/env is told so, and not asked for a
// kubeconfig; kubectl's own choice would be another cluster.
func TestEnvironmentThatIsNotRead(t *testing.T) {
	const unread = ".cluster/env says where the cluster is, and this terminal has not read it"
	const remedy = "run `. .cluster/env` in this terminal"
	lines := map[string]bool{ // whether it is told so
		"check deploy": true, "doctor": true, "reset --dry-run": true, "class list": true, "class down": true,
		"check deploy --context other": false, "check deploy --kubeconfig missing": false, "check laptop --front-door localhost:1": false,
	}
	for name, test := range map[string]struct {
		env, kubeconfig string
		told            bool
	}{
		"not read":        {"export KUBECONFIG=/missing\n", "", true},
		"read":            {"export KUBECONFIG=/missing\n", "/missing", false},
		"of another kind": {"export KO_DOCKER_REPO=localhost:5001\n", "", false},
		"none":            {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("KUBECONFIG", test.kubeconfig)
			t.Setenv("HOME", t.TempDir())
			t.Setenv("KO_DOCKER_REPO", "")
			if test.env != "" {
				if err := errors.Join(os.Mkdir(".cluster", 0o755), os.WriteFile(".cluster/env", []byte(test.env), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			for line, told := range lines {
				if line == "doctor" && !test.told {
					continue // It takes a look at much else.
				}
				out, err := run(t, strings.Fields(line)...)
				text := out + fmt.Sprint(err)
				if got := strings.Contains(text, unread) && strings.Contains(text, remedy); err == nil || got != (told && test.told) {
					t.Errorf("workshop %s: told %v, error %v, printed\n%s", line, got, err, out)
				}
			}
		})
	}
}

// Where nobody can be asked, nothing is removed.
func TestResetAsks(t *testing.T) {
	if err := confirm(command(), false); err == nil || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("error %v", err)
	}
	if err := confirm(command(), true); err != nil {
		t.Errorf("with --yes: error %v", err)
	}
}

// It looks until nothing fails any more, and says what it waits for.
func TestCheckWaits(t *testing.T) {
	looks := 0
	sections := func() []report.Section {
		return []report.Section{{Steps: []report.Step{{Name: "door", Look: func(context.Context) report.Finding {
			if looks++; looks < 3 {
				return report.Fail("open it", "shut")
			}
			return report.Pass("open")
		}}}}}
	}
	cmd := command()
	cmd.SetContext(t.Context())
	var out strings.Builder
	cmd.SetErr(&out)
	await(cmd, sections, time.Minute)
	if want := "waiting: door: shut\n"; looks != 3 || out.String() != want {
		t.Errorf("%d looks, printed %q, want 3 and %q", looks, out.String(), want)
	}
	looks = -1000
	await(cmd, sections, 200*time.Millisecond)
	if looks != -999 {
		t.Errorf("after the time is over it looked %d times more", looks+999)
	}
}
