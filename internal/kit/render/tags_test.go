package render_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// renderNoted renders a kustomization that is in order, and returns its notes.
func renderNoted(t *testing.T, target string) (manifests string, notes []string) {
	t.Helper()
	out, err := render.Kustomization(target, render.Options{Note: func(note string) { notes = append(notes, note) }})
	if err != nil {
		t.Fatal(err)
	}
	return string(out), notes
}

// A foreign base with plain images becomes one of ours by images:, which keeps
// the tag or digest that the base has, or sets one.
func TestImagesOfAForeignBase(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: web, image: IMAGE}\n"
	const rendered = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - image: ko://example.com/cmd/app\n    name: web\n"
	const ours = "newName: ko://example.com/cmd/app"
	const what = "Pod web: image ko://example.com/cmd/app"
	const end = " dropped: ko names the image by what it builds"
	for name, test := range map[string]struct{ image, entry, note string }{
		"no tag":           {"app", "name: app, " + ours, ""},
		"a tag":            {"app:1.0", "name: app, " + ours, what + ":1.0: the tag 1.0 is" + end},
		"a digest":         {"app@" + digest, "name: app, " + ours, what + "@" + digest + ": the digest " + digest + " is" + end},
		"both":             {"app:1.0@" + digest, "name: app, " + ours, what + ":1.0@" + digest + ": the tag 1.0 and the digest " + digest + " are" + end},
		"from a registry":  {"registry.example.com:5000/team/app:1.0", "name: registry.example.com:5000/team/app, " + ours, what + ":1.0: the tag 1.0 is" + end},
		"newTag":           {"app:1.0", "name: app, newTag: v2, " + ours, what + ":v2: the tag v2 is" + end},
		"newTag of ours":   {"ko://example.com/cmd/app", "name: ko://example.com/cmd/app, newTag: v2", what + ":v2: the tag v2 is" + end},
		"digest of ours":   {"ko://example.com/cmd/app", "name: ko://example.com/cmd/app, digest: " + digest, what + "@" + digest + ": the digest " + digest + " is" + end},
		"a tag with signs": {"app:v1.2.3_rc-1", "name: app, " + ours, what + ":v1.2.3_rc-1: the tag v1.2.3_rc-1 is" + end},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{
				"kustomization.yaml": "resources: [pod.yaml]\nimages:\n- {" + test.entry + "}\n",
				"pod.yaml":           strings.Replace(pod, "IMAGE", test.image, 1),
			})
			got, notes := renderNoted(t, dir)
			if got != rendered {
				t.Errorf("got\n%s\nwant\n%s", got, rendered)
			}
			if want := slices.DeleteFunc([]string{test.note}, func(s string) bool { return s == "" }); !slices.Equal(notes, want) {
				t.Errorf("notes %q, want %q", notes, want)
			}
		})
	}
}

// What upstream would resolve loses its tag wherever it stands; all other text
// stays as it is, however much it looks like a reference.
func TestOnlyWholeReferencesLoseTheirTag(t *testing.T) {
	for text, want := range map[string]string{
		`ko://example.com/app:1.0`:            `ko://example.com/app`,
		`"ko://example.com/app:1.0 "`:         `'ko://example.com/app '`,
		`"ko://example.com/app:1.0\n"`:        "|\n    ko://example.com/app",
		`ko://example.com/v2/app:1.0`:         `ko://example.com/v2/app`,
		`ko://example.com/app`:                `ko://example.com/app`,
		`ko://localhost:5000/app`:             `ko://localhost:5000/app`,
		`ko://localhost:5000/app:1.0`:         `ko://localhost:5000/app:1.0`,
		`ko://example.com/app@v1.0.0`:         `ko://example.com/app@v1.0.0`,
		`ko://example.com/app@latest`:         `ko://example.com/app@latest`,
		`"ko://example.com/app:"`:             `'ko://example.com/app:'`,
		`KO://example.com/app:1.0`:            `KO://example.com/app:1.0`,
		`" ko://example.com/app:1.0"`:         `' ko://example.com/app:1.0'`,
		`--image=ko://example.com/app:1.0`:    `--image=ko://example.com/app:1.0`,
		`ko://example.com/app:1.0 and more`:   `ko://example.com/app:1.0 and more`,
		`"ko://a.com/app:1.0\nko://b.com:1 "`: `"ko://a.com/app:1.0\nko://b.com:1 "`,
		`docker.io/library/app:1.0`:           `docker.io/library/app:1.0`,
		`"1.0"`:                               `"1.0"`,
	} {
		t.Run(text, func(t *testing.T) {
			dir := writeTree(t, map[string]string{
				"kustomization.yaml": "resources: [all.yaml]\n",
				"all.yaml":           "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: ns}\ndata:\n  text: " + text + "\n",
			})
			got, notes := renderNoted(t, dir)
			if want := "apiVersion: v1\ndata:\n  text: " + want + "\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: ns\n"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			dropped := !strings.Contains(got, "1.0") && strings.Contains(text, "1.0")
			if dropped != (len(notes) == 1) {
				t.Errorf("notes %q for\n%s", notes, got)
			}
		})
	}
}

// The same removal is noted once for an object, and again for the next object.
func TestNotesAreSaidOnce(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [all.yaml]\n",
		"all.yaml": `apiVersion: v1
kind: Pod
metadata: {name: a, namespace: ns, annotations: {tool: "ko://example.com/tool:2"}}
spec:
  containers:
  - {name: one, image: "ko://example.com/app:1", args: ["--tool", "ko://example.com/tool:2"]}
  - {name: two, image: "ko://example.com/app:1"}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: ns}
spec: {containers: [{name: one, image: "ko://example.com/app:1"}]}
`,
	})
	got, notes := renderNoted(t, dir)
	want := []string{
		"Pod ns/a: args ko://example.com/tool:2: the tag 2 is dropped: ko names the image by what it builds",
		"Pod ns/a: image ko://example.com/app:1: the tag 1 is dropped: ko names the image by what it builds",
		"Pod ns/a: tool ko://example.com/tool:2: the tag 2 is dropped: ko names the image by what it builds",
		"Pod ns/b: image ko://example.com/app:1: the tag 1 is dropped: ko names the image by what it builds",
	}
	slices.Sort(notes)
	if !slices.Equal(notes, want) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(notes, "\n"), strings.Join(want, "\n"))
	}
	_, files, err := render.KustomizationFiles(filepath.Clean(dir), render.Options{})
	if err != nil || len(files) == 0 || strings.Contains(got, ":1\n") {
		t.Errorf("without Note: error %v, files %q, rendered\n%s", err, files, got)
	}
}
