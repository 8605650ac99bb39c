//go:build unix

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/up"
)

// What runs is restarted only for other content: not after the overlay was
// rendered again, not for settings that say the same, and not for a file that
// was saved as it was.
func TestKeepsProcessesWhoseContentIsTheSame(t *testing.T) {
	r := start(t, newShop(t), nil)
	r.answers(r.service("front", "/backend"), "blue")
	r.prints("all 4 are ready")
	before := r.processes()
	unchanged := 0
	for _, step := range []struct {
		name   string
		change func()
		await  string // printed when the change has been acted on
		builds int    // that find nothing new
	}{
		{"a label of a Service", func() {
			r.replace("config/front.yaml", "metadata: {name: front}\nspec:\n  selector: {app: front}", "metadata: {name: front, labels: {a: b}}\nspec:\n  selector: {app: front}")
		}, "", 0},
		{"save as it was", func() { r.greet("v1") }, "", 2},
		{"a ConfigMap that nothing uses", func() {
			r.replace("config/kustomization.yaml", "configMapGenerator:", "configMapGenerator:\n- name: unused\n  literals: [A=b]")
		}, "", 0},
		{"touch the settings", func() { r.write(".ko.yaml", "defaultFlags: []\n") }, "", 3},
		{"another replica of back", func() {
			r.replace("config/back.yaml", "replicas: 2", "replicas: 3")
		}, "back-2: ready", 0},
		{"save as it was, once more", func() { r.greet("v1") }, "", 2},
		{"one replica less", func() {
			r.replace("config/back.yaml", "replicas: 3", "replicas: 2")
		}, "", 0},
		{"touch the settings, once more", func() { r.write(".ko.yaml", "defaultFlags: []\ndefaultEnv: []\n") }, "", 3},
	} {
		rendered := r.count("rendered config again")
		step.change()
		unchanged += step.builds
		r.wait(func() bool {
			return r.count("nothing has changed") >= unchanged && strings.Contains(r.out.String(), step.await) &&
				(step.builds > 0 || r.count("rendered config again") > rendered)
		}, func() string { return step.name + ": it was not acted on" })
	}
	r.greet("v2") // Rolled out after all that may have been started before.
	r.answers(r.service("front", "/"), "v2one")
	r.prints("back-1: reloaded")
	if started := r.count("web starts"); started != 3+1+3 {
		t.Errorf("web was started %d times, not for two replicas of back and one of front, a third replica, and their second version", started)
	}
	if n := r.count("seed: completed"); n != 1 {
		t.Errorf("the Job has run %d times", n)
	}
	if after := r.processes(); after == before {
		t.Error("the second version runs in the processes of the first")
	}
}

func (r *run) count(text string) int { return strings.Count(r.out.String(), text) }

// processes asks front and back for their process ids, those of back sorted.
func (r *run) processes() string {
	front, _ := r.get(r.service("front", "/pid"))
	one, _ := r.get(r.service("back", "/pid"))
	two, _ := r.get(r.service("back", "/pid"))
	return fmt.Sprint(front, " ", min(one, two), " ", max(one, two))
}

// A change that is taken back while its version cannot start leaves the process
// that serves, which is not replaced later either.
func TestAChangeThatIsTakenBack(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d", r.port)
	r.answers(front+"/", "v1one")
	pid, _ := r.get(front + "/pid")
	r.write("greeting/extra.go", "package greeting\n\nfunc init() { panic(\"no start\") }\n")
	r.prints("the one before goes on, and it is tried again in 10s")
	taken := time.Now()
	if err := os.Remove(filepath.Join(dir, "greeting/extra.go")); err != nil {
		t.Fatal(err)
	}
	r.prints("front: the version that runs is the newest again")
	r.wait(func() bool { return time.Since(taken) > 11*time.Second }, func() string { return "" })
	if now, err := r.get(front + "/pid"); now != pid {
		t.Errorf("process %s has become %s (error %v)", pid, now, err)
	}
}
