package program

import (
	"path/filepath"
	"regexp"
	"strings"
)

// CompileError is what the go tool has to say about code that does not compile.
type CompileError struct {
	ImportPath string // scheme included
	Output     string // lines such as "cmd/web/main.go:12:3: undefined: x"; files are relative to the working directory
	Command    string // what to paste into a shell to see it again
}

func (e *CompileError) Error() string {
	return "compiling " + e.ImportPath + " failed:\n" + e.Output + "\nto see it again: " + e.Command
}

// CompileError returns what is wrong with the code, by what `go build` with these
// flags has printed. The reference is what the program was called.
func (r *Recipe) CompileError(reference string, args []string, output string) *CompileError {
	return &CompileError{ImportPath: reference, Output: Tidy(r.Dir, output), Command: r.Command(args)}
}

// position matches the place that a message of the go tool begins with.
var position = regexp.MustCompile(`^[^:]+\.[A-Za-z]+:\d+`)

// Tidy returns what the go tool prints without the lines that only name a package,
// and with file names that are relative to the working directory. The go tool
// reports them relative to dir, where it runs.
func Tidy(dir, output string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(output)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "# ") {
			continue
		}
		text := strings.TrimLeft(line, " \t")
		if file, rest, _ := strings.Cut(text, ":"); position.MatchString(text) && !filepath.IsAbs(file) {
			line = line[:len(line)-len(text)] + filepath.Join(dir, file) + ":" + rest
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
