//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// repository is the root of this repository.
const repository = "../.."

// output is what a command printed.
type output struct{ stdout, stderr string }

// runKo runs the ko that KO names, in dir, on the cluster under test.
func runKo(t testing.TB, dir string, args ...string) (output, error) {
	t.Helper()
	return run(t, dir, "", koPath(t), args...)
}

// koPath returns the ko that KO names.
func koPath(t testing.TB) string {
	t.Helper()
	path := os.Getenv("KO")
	if path == "" {
		t.Fatal("KO does not name the ko binary to test; run `make e2e`")
	}
	return path
}

// run runs a program and logs how.
func run(t testing.TB, dir, stdin, name string, args ...string) (output, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewBufferString(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	t.Logf("%s %q in %s: error %v\n%s%s", filepath.Base(name), args, dir, err, stdout.String(), stderr.String())
	return output{stdout.String(), stderr.String()}, err
}

// onCluster adds the flags that choose the cluster under test.
func onCluster(args ...string) []string {
	if context := os.Getenv("CONTEXT"); context != "" {
		args = append(args, "--context="+context)
	}
	return args
}

// mustKo is runKo in the repository for calls that must succeed.
func mustKo(t testing.TB, args ...string) output {
	t.Helper()
	out, err := runKo(t, repository, args...)
	if err != nil {
		t.Fatalf("ko failed: %v\n%s", err, out.stderr)
	}
	return out
}

// published returns the digest of each image that ko says is published, by the
// image's name.
func published(stderr string) map[string]string {
	digests := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^(\S+): (?:published|unchanged) \S+@(sha256:[0-9a-f]{64})`).FindAllStringSubmatch(stderr, -1) {
		digests[match[1]] = match[2]
	}
	return digests
}

// overlayIn writes a kustomization that moves one of the repository's into
// another namespace, by one line, and returns its directory. The extra lines
// are added to it.
func overlayIn(t testing.TB, base, namespace, extra string) string {
	t.Helper()
	return overlayOf(t, filepath.Join(repository, base), namespace, extra)
}

// overlayOf is overlayIn for a kustomization of any directory.
func overlayOf(t testing.TB, base, namespace, extra string) string {
	t.Helper()
	dir := t.TempDir()
	absolute, err := filepath.Abs(base)
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(dir, absolute) // Kustomize takes no absolute paths.
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "kustomization.yaml", "resources:\n- "+relative+"\nnamespace: "+namespace+"\n"+extra)
	return dir
}

func writeFile(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
