package check_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/workshop/check"
)

var (
	number  = regexp.MustCompile(`^[0-9]+-`)
	heading = regexp.MustCompile(`(?m)^## (.*)$`)
)

// Every chapter of the workshop has a check by its name, which it runs, and all
// of them have the same parts.
func TestChaptersHaveTheSameParts(t *testing.T) {
	files, err := filepath.Glob("../../../docs/workshop/[0-9]*.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(number.ReplaceAllString(filepath.Base(file), ""), ".md")
		names = append(names, name)
		if !strings.Contains(string(text), "\n$ bin/workshop check "+name) {
			t.Errorf("%s does not run its check", file)
		}
		var parts []string
		for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
			parts = append(parts, match[1])
		}
		if want := []string{"Goal", "Do", "See", "Check", "If it fails"}; len(parts) < len(want) || !slices.Equal(parts[:len(want)], want) {
			t.Errorf("%s has the parts %q, expected %q first", file, parts, want)
		}
	}
	if !slices.Equal(names, check.Names()) {
		t.Errorf("the chapters are %q, the checks %q", names, check.Names())
	}
}
