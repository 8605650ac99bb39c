//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/telepresence"
)

// command is one command that a document shows, with the output below it.
type command struct {
	line int
	text string
	want string // "" where the document shows no output
	// terminal means that it runs on, in a terminal of its own.
	terminal bool
	// interrupts means that there is no command: the reader is told to press
	// Ctrl-C, which ends what runs on.
	interrupts bool
	// gate means that it is not run here: it is what .ci/run runs.
	gate  bool
	needs []string // see missing
}

// console is the language of blocks with commands, and notCommands are those of
// others: a block of another language is a mistake.
const console = "console"

var notCommands = []string{"json", "mermaid", "python", "text", "yaml"}

// pressCtrlC is how a document tells its reader to end what runs on.
const pressCtrlC = "<kbd>Ctrl</kbd>-<kbd>C</kbd>"

// commands finds what a document has in ```console blocks: a line that begins
// with "$ " is a command, "> " continues it, all else is output. The commands of
// a ```console terminal block run in a terminal of their own, and the last of them
// runs on until the document tells the reader to press Ctrl-C, or ends. Those of a
// ```console gate block are run by .ci/run. Other words say what a block needs.
func commands(t *testing.T, document string) []command {
	t.Helper()
	var found []command
	var block command // what all commands of the block have in common
	before := 0       // how many commands there are before the block
	inside, inCommands := false, false
	for i, line := range strings.Split(document, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			if inside = !inside; !inside {
				inCommands = false
				continue
			}
			words := append(strings.Fields(line[3:]), "")
			inCommands = words[0] == console
			if !inCommands && !slices.Contains(notCommands, words[0]) {
				t.Fatalf("line %d: %s: commands stand in blocks of %s, where they are run", i+1, line, console)
			}
			block = command{terminal: slices.Contains(words, "terminal"), gate: slices.Contains(words, "gate")}
			block.needs = slices.DeleteFunc(words[1:], func(word string) bool { return slices.Contains([]string{"", "terminal", "gate"}, word) })
			before = len(found)
		case !inside && strings.Contains(line, pressCtrlC):
			found = append(found, command{line: i + 1, interrupts: true})
		case !inCommands:
		case strings.HasPrefix(line, "$ ") && block.terminal && len(found) > before:
			found[len(found)-1].text += "\n" + line[2:]
		case strings.HasPrefix(line, "$ "):
			next := block
			next.line, next.text = i+1, line[2:]
			found = append(found, next)
		case strings.HasPrefix(line, "> "):
			found[len(found)-1].text += "\n" + line[2:]
		default:
			found[len(found)-1].want += line + "\n"
		}
	}
	return found
}

// missing says what a command needs and is not there, or "". It may need a
// program on PATH, such as tilt, a registry, such as ghcr.io, or telepresence-2.25,
// which is that or a newer one, with its image in the cluster's registry.
func (c command) missing(t *testing.T) string {
	t.Helper()
	for _, need := range c.needs {
		program, version, _ := strings.Cut(need, "-")
		switch {
		case program == "telepresence" && c.isWith("ghcr.io"): // It brings the image.
			if _, err := telepresence.Version(t.Context()); err != nil {
				return err.Error()
			}
		case program == "telepresence":
			if reason := noTelepresence(t, version); reason != "" {
				return reason
			}
		case strings.Contains(need, "."):
			if err := pingRegistry(t, need); err != nil {
				return need + " does not answer: " + err.Error()
			}
		default:
			if _, err := exec.LookPath(need); err != nil {
				return need + " is not on PATH"
			}
		}
	}
	return ""
}

// isWith says whether a command needs this.
func (c command) isWith(need string) bool { return slices.Contains(c.needs, need) }

// registryTimeout bounds a look at a registry: without a way to it, packets may
// get lost without a word.
const registryTimeout = 5 * time.Second

// pingRegistry asks a registry whether it is one; that it wants a login is an answer.
func pingRegistry(t *testing.T, host string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), registryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "https://"+host+"/v2/", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// isRunByTheGate fails unless .ci/run has the command.
func (c command) isRunByTheGate(t *testing.T) {
	t.Helper()
	gate, err := os.ReadFile(filepath.Join(repository, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(gate), "\n"), c.text) {
		t.Errorf("line %d: .ci/run does not run $ %s", c.line, c.text)
	}
}

// shown turns shown output into an expression for the real one.
func shown(want string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = regexp.MustCompile(`(?m)^…$\n?`).ReplaceAllString(pattern, `(?s:.*)`) // None to many lines.
	return regexp.MustCompile(`^\s*` + strings.ReplaceAll(pattern, "…", `.*`) + `\s*$`)
}
