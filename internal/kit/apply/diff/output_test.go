package diff_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kube"
)

// Programs rely on this text: fields may be added to it, and none may change.
func TestJSON(t *testing.T) {
	result, err := diff.New([]diff.Pair{
		{Live: object(t, first.Replace(payments)), Merged: object(t, second.Replace(payments))},
		{Live: object(t, settings), Merged: object(t, settings)},
		{Merged: object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: api}}")},
		{Live: object(t, "{apiVersion: v1, kind: Secret, metadata: {name: old, namespace: api}, data: {a: b2xk}}")},
	}, diff.Reasons{"localhost:5001/payments-svc@sha256:bbbb": "a <b> changed"})
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, asJSON(t, result), `[`+
		`{"object":{"apiVersion":"v1","kind":"Namespace","name":"api"},"change":"created","fields":[],"reasons":[],`+
		`"diff":"diff -u -N LIVE/v1.Namespace..api MERGED/v1.Namespace..api\n--- LIVE/v1.Namespace..api\n+++ MERGED/v1.Namespace..api\n@@ -0,0 +1,4 @@\n+apiVersion: v1\n+kind: Namespace\n+metadata:\n+  name: api\n"},
`+
		`{"object":{"apiVersion":"v1","kind":"ConfigMap","namespace":"api","name":"settings"},"change":"unchanged","fields":[],"reasons":[],"diff":""},
`+
		`{"object":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"api","name":"payments-svc"},"change":"changed",`+
		`"fields":[{"path":"spec.template.spec.containers[payments-svc].image","before":"localhost:5001/payments-svc@sha256:aaaa","after":"localhost:5001/payments-svc@sha256:bbbb"}],`+
		`"reasons":[{"image":"localhost:5001/payments-svc@sha256:bbbb","reason":"a <b> changed"}],`+
		`"diff":"diff -u -N LIVE/apps.v1.Deployment.api.payments-svc MERGED/apps.v1.Deployment.api.payments-svc\n`+
		`--- LIVE/apps.v1.Deployment.api.payments-svc\n+++ MERGED/apps.v1.Deployment.api.payments-svc\n@@ -19,7 +19,7 @@\n`+
		`       - env:\n         - name: PORT\n           value: \"8080\"\n`+
		`-        image: localhost:5001/payments-svc@sha256:aaaa\n+        image: localhost:5001/payments-svc@sha256:bbbb\n`+
		`         name: payments-svc\n         resources: {}\n       restartPolicy: Always\n"},
`+
		`{"object":{"apiVersion":"v1","kind":"Secret","namespace":"api","name":"old"},"change":"pruned","fields":[],"reasons":[],`+
		`"diff":"diff -u -N LIVE/v1.Secret.api.old MERGED/v1.Secret.api.old\n--- LIVE/v1.Secret.api.old\n+++ MERGED/v1.Secret.api.old\n`+
		`@@ -1,7 +0,0 @@\n-apiVersion: v1\n-data:\n-  a: '***'\n-kind: Secret\n-metadata:\n-  name: old\n-  namespace: api\n"}]
`)
	wantText(t, asJSON(t, &diff.Result{}), "[]\n")
}

// A value that is missing is told from one that is zero.
func TestFields(t *testing.T) {
	live := "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: a}, spec: {public: true, size: 1, tags: [x]}}"
	merged := "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: a, labels: {example.com/team: web}}, spec: {public: false, size: 0, note: '', rules: {}}}"
	result := compare(t, live, merged, nil)
	wantFields(t, result.Changes[0].Fields, []diff.Field{
		{Path: "metadata.labels[example.com/team]", After: "web"},
		{Path: "spec.note", After: ""},
		{Path: "spec.public", Before: true, After: false},
		{Path: "spec.rules", After: map[string]any{}},
		{Path: "spec.size", Before: int64(1), After: int64(0)},
		{Path: "spec.tags[0]", Before: "x"},
	})
	want := `"fields":[{"path":"metadata.labels[example.com/team]","after":"web"},{"path":"spec.note","after":""},` +
		`{"path":"spec.public","before":true,"after":false},{"path":"spec.rules","after":{}},` +
		`{"path":"spec.size","before":1,"after":0},{"path":"spec.tags[0]","before":"x"}]`
	if got := asJSON(t, result); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
}

func TestColour(t *testing.T) {
	merged := strings.Replace(second.Replace(payments), "8080", "9090", 1)
	result := compare(t, first.Replace(payments), merged, diff.Reasons{"localhost:5001/payments-svc@sha256:bbbb": "cashier.go changed"})
	const name = "apps.v1.Deployment.api.payments-svc"
	got := text(t, result, true)
	wantText(t, got, "# payments-svc: cashier.go changed\n"+
		"\x1b[1mdiff -u -N LIVE/"+name+" MERGED/"+name+"\x1b[0m\n"+
		"\x1b[1m--- LIVE/"+name+"\x1b[0m\n"+
		"\x1b[1m+++ MERGED/"+name+"\x1b[0m\n"+
		"\x1b[36m@@ -18,8 +18,8 @@\x1b[0m\n"+
		"       containers:\n"+
		"       - env:\n"+
		"         - name: PORT\n"+
		"\x1b[31m-          value: \"8080\"\x1b[0m\n"+
		"\x1b[31m-        image: localhost:5001/payments-svc@sha256:aaaa\x1b[0m\n"+
		"\x1b[32m+          value: \"9090\"\x1b[0m\n"+
		"\x1b[32m+        image: localhost:5001/payments-svc@sha256:bbbb\x1b[0m\n"+
		"         name: payments-svc\n"+
		"         resources: {}\n"+
		"       restartPolicy: Always\n")
	wantText(t, regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(got, ""), text(t, result, false))
}

func TestReasons(t *testing.T) {
	containers := func(images ...string) string {
		var list []string
		for i, image := range images {
			list = append(list, fmt.Sprintf("{name: c%d, image: %q}", i, image))
		}
		return "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [" + strings.Join(list, ", ") + "]}}"
	}
	reasons := diff.Reasons{
		"ghcr.io/you/web:v2@sha256:b": "main.go\nchanged \x1b[31m",
		"logs@sha256:b":               "go.mod changed",
		"localhost:5001/old@sha256:a": "it is new",
	}
	live := containers("ghcr.io/you/web:v1@sha256:a", "logs@sha256:a", "localhost:5001/old@sha256:a")
	for name, test := range map[string]struct {
		live, merged string
		want         []string
	}{
		"changed images":     {live, containers("ghcr.io/you/web:v2@sha256:b", "logs@sha256:b", "localhost:5001/old@sha256:a"), []string{"# web: main.go changed [31m", "# logs: go.mod changed"}},
		"one image twice":    {live, containers("logs@sha256:b", "logs@sha256:b", "localhost:5001/old@sha256:a"), []string{"# logs: go.mod changed"}},
		"one more":           {containers("a"), containers("a", "logs@sha256:b"), []string{"# logs: go.mod changed"}},
		"without a reason":   {live, containers("other@sha256:c", "logs@sha256:a", "localhost:5001/old@sha256:a"), nil},
		"a created object":   {"", live, nil},
		"an image that goes": {live, containers("ghcr.io/you/web:v1@sha256:a", "logs@sha256:a"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			above, _, found := strings.Cut(text(t, compare(t, test.live, test.merged, reasons), false), "diff -u -N ")
			if want := strings.Join(append(test.want, ""), "\n"); !found || above != want {
				t.Errorf("%v, above the diff stands %q, want %q", found, above, want)
			}
		})
	}
}

// A large object is compared as a small one is, though its lines are all the same, and
// a long line is one line.
func TestLargeObjects(t *testing.T) {
	const items = 50_000
	list := func(last string) string {
		return "apiVersion: example.com/v1\nkind: Bucket\nmetadata: {name: a}\nspec:\n" + strings.Repeat("- x\n", items) + "- " + last + "\n" + strings.Repeat("- x\n", items)
	}
	got := compare(t, list("a"), list("b"), nil)
	wantText(t, withoutHeaders(text(t, got, false)), " - x\n - x\n - x\n-- a\n+- b\n - x\n - x\n - x\n")
	wantFields(t, got.Changes[0].Fields, []diff.Field{{Path: fmt.Sprintf("spec[%d]", items), Before: "a", After: "b"}})

	long := strings.Repeat("x", 1_000_000)
	config := "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: '" + long + "END'}}"
	got = compare(t, config, strings.Replace(config, "END", "end", 1), nil)
	wantText(t, withoutHeaders(text(t, got, false)), " apiVersion: v1\n data:\n-  a: "+long+"END\n+  a: "+long+"end\n kind: ConfigMap\n metadata:\n   name: a\n")
}

// fileTime is when a file was written, which diff puts into the headers.
var fileTime = regexp.MustCompile(`(?m)^((?:---|\+\+\+) [^\t\n]*)\t.*$`)

// The text is the one of the program that kubectl runs, in the same directories.
func TestAsDiffPrintsIt(t *testing.T) {
	program, err := exec.LookPath("diff")
	if err != nil {
		t.Skip("diff is not installed: install it to see that its output is the same")
	}
	photos := strings.Replace(bucket, ", generation: 1", "", 1)
	for name, test := range map[string]struct{ live, merged string }{
		"changed": {photos, strings.NewReplacer("north", "south", "30", "14").Replace(photos)},
		"created": {"", settings},
		"pruned":  {settings, ""},
		"larger":  {settings, strings.Replace(settings, "blue", "blue, a: b, d.conf: \"e\\nf\\n\"", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			result := compare(t, test.live, test.merged, nil)
			dir := t.TempDir()
			writeState(t, filepath.Join(dir, "LIVE"), object(t, test.live), result)
			writeState(t, filepath.Join(dir, "MERGED"), object(t, test.merged), result)
			cmd := exec.Command(program, "-u", "-N", "LIVE", "MERGED")
			cmd.Dir = dir
			out, err := cmd.Output()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("diff: %v\n%s", err, out)
			}
			wantText(t, text(t, result, false), fileTime.ReplaceAllString(string(out), "$1"))
		})
	}
}

// writeState writes a state of the result's object as kubectl does.
func writeState(t *testing.T, dir string, o kube.Object, result *diff.Result) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if o == nil {
		return
	}
	text, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(strings.Fields(result.Changes[0].Diff)[3], "LIVE/")
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
