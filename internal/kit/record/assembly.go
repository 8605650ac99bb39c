package record

import (
	"os"
	"regexp"
)

// include matches a line of assembly that includes a file of another directory.
var include = regexp.MustCompile(`(?m)^\s*#\s*include\s*[<"][^>"]*[/\\]`)

// includesElsewhere reports whether an assembly file includes a file that is not in its
// directory. Go's own headers are, by their names.
func includesElsewhere(file string) (bool, error) {
	text, err := os.ReadFile(file)
	return include.Match(text), err
}
