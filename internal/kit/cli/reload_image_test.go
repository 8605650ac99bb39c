package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// ko reload --image-file, as Tilt calls it, builds no image again that is the same, and
// names it as it did before.
func TestReloadOfTheSameImage(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: builds images")
	}
	kittest.UseRegistry(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	writeFiles(t, dir, map[string]string{"kubeconfig": `apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none}}]
current-context: none
`})
	t.Setenv("KUBECONFIG", filepath.Join(dir, "kubeconfig"))
	reload := func() (image, printed string) {
		t.Helper()
		_, printed, err := ko(t, "reload", "./cmd/web", "--selector=app=web", "--image-file=image")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile("image")
		if err != nil {
			t.Fatal(err)
		}
		// Tilt takes both away if the pods are not to be asked for.
		if err := os.Remove("image.last"); err != nil {
			t.Fatal(err)
		}
		return string(text), printed
	}
	first, printed := reload()
	if !strings.Contains(printed, "web: built: nothing is known of an image before it") {
		t.Errorf("it is not said why an image is built:\n%s", printed)
	}
	if again, printed := reload(); again != first || !strings.Contains(printed, "web: unchanged "+first) {
		t.Errorf("the image is %s, and then %s:\n%s", first, again, printed)
	}
	writeFiles(t, dir, map[string]string{"greeting/more.go": "package greeting\n\nfunc init() { println() }\n"})
	if changed, printed := reload(); changed == first || !strings.Contains(printed, "web: built: greeting/more.go is new") {
		t.Errorf("after a change, the image is %s:\n%s", changed, printed)
	}
}
