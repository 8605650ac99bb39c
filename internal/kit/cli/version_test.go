package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// The first line is what upstream's own program prints, and so is the tool that
// an SBOM names; the second line tells the two programs apart.
func TestVersionNamesUpstreamAndUs(t *testing.T) {
	if testing.Short() {
		t.Skip("links two programs")
	}
	kittest.UseRegistry(t)
	ours, theirs := build(t, "github.com/koshop/koshop/cmd/ko"), build(t, "github.com/google/ko")
	first, second, _ := strings.Cut(printed(t, ours, "version"), "\n")
	if want := strings.TrimSpace(printed(t, theirs, "version")); first != want || !strings.HasPrefix(want, "v0.") {
		t.Errorf("our first line is %q, upstream prints %q", first, want)
	}
	if !regexp.MustCompile(`^koshop (devel( [0-9a-f]{12})?(, modified)?|v[0-9].*)\n$`).MatchString(second) {
		t.Errorf("our second line is %q", second)
	}
	t.Chdir(guestbook)
	if got, want := creator(t, ours), creator(t, theirs); got != want || want != "Tool: ko "+first {
		t.Errorf("our SBOM says %q, upstream's %q", got, want)
	}
}

// build links a program.
func build(t *testing.T, importPath string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ko")
	printed(t, "go", "build", "-o", program, importPath)
	return program
}

// printed returns what a program prints.
func printed(t *testing.T, program string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, stderr.String())
	}
	return string(out)
}

// creator returns what the SBOM of an image says made it.
func creator(t *testing.T, ko string) string {
	t.Helper()
	dir := t.TempDir()
	printed(t, ko, "build", "--push=false", "--sbom-dir", dir, "./cmd/web")
	files, err := filepath.Glob(filepath.Join(dir, "*.spdx.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("error %v, no SBOM is in %s", err, dir)
	}
	sbom, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(regexp.MustCompile(`Tool: ko [^"]*`).Find(sbom))
}
