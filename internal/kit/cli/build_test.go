package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// ko build prints the same for an image that it does not build again, and says why it
// builds one.
func TestBuildOfTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: builds images")
	}
	kittest.UseRegistry(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	build := func(args ...string) (string, string) {
		t.Helper()
		stdout, stderr, err := ko(t, append([]string{"build", "./cmd/web"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return stdout, stderr
	}
	if stdout, _ := build("--explain"); stdout != "web: would be built: nothing is known of an image before it\n" {
		t.Errorf("--explain at first: %q", stdout)
	}
	first, stderr := build()
	if !strings.Contains(stderr, "web: built: nothing is known of an image before it\n") {
		t.Errorf("it is not said why an image is built:\n%s", stderr)
	}
	if again, stderr := build(); again != first || !strings.Contains(stderr, "web: unchanged "+strings.TrimSpace(first)) {
		t.Errorf("ko build printed %q, and then %q:\n%s", first, again, stderr)
	}
	if stdout, _ := build("--explain"); stdout != "web: unchanged\n" {
		t.Errorf("--explain: %q", stdout)
	}
	writeFiles(t, dir, map[string]string{"greeting/more.go": "package greeting\n\nfunc init() { println() }\n"})
	const reason = "greeting/more.go is new"
	if stdout, _ := build("--explain"); stdout != "web: would be built: "+reason+"\n" {
		t.Errorf("--explain after a change: %q", stdout)
	}
	if changed, stderr := build(); changed == first || !strings.Contains(stderr, "web: built: "+reason) {
		t.Errorf("after a change: %q\n%s", changed, stderr)
	}
	stdout, stderr := build("--rebuild", "example.com/guestbook/cmd/web") // The same program by its other name.
	if strings.Count(stderr, "web: built: --rebuild\n") != 1 || strings.Count(stdout, "\n") != 1 {
		t.Errorf("--rebuild printed %q:\n%s", stdout, stderr)
	}
}
