package resolve_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	upstream "github.com/google/ko/pkg/resolve"
	"go.yaml.in/yaml/v4"

	"github.com/koshop/koshop/internal/kit/resolve"
)

// manifests has references in every place that upstream resolves, and things
// that look like references and are none.
const manifests = `# a comment with ko://example.com/comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
  namespace: prod
  annotations:
    ko://example.com/key: value
spec:
  template:
    spec:
      initContainers:
        - image: ko://example.com/init
      containers:
        - image: "ko://example.com/app"
          args: [--image, ko://example.com/tool, --image=ko://example.com/none]
          env:
            - {name: IMAGE, value: 'ko://example.com/tool '}
            - {name: COUNT, value: 3}
---
kind: ConfigMap
metadata: {name: script}
data:
  run: |-
    ko://example.com/block
  text: |
    use ko://example.com/none
---
- kind: NotAnObject
  value: !!str ko://example.com/app
`

func TestReferencesAreThoseThatUpstreamResolves(t *testing.T) {
	ours := parse(t, manifests)
	images := map[string]name.Reference{}
	for _, ref := range ours.References() {
		images[ref.ImportPath] = image(t, ref.ImportPath)
	}
	if err := ours.Replace(images); err != nil {
		t.Fatal(err)
	}
	got, err := ours.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if want := resolveUpstream(t, manifests); string(got) != want {
		t.Errorf("got\n%s\nupstream resolves to\n%s", got, want)
	}
	if len(images) != 5 {
		t.Errorf("%d images, want 5: %v", len(images), images)
	}
}

func TestUsesSayWhere(t *testing.T) {
	var got []string
	for _, ref := range parse(t, manifests).References() {
		for _, use := range ref.Uses {
			got = append(got, ref.ImportPath+" "+use.String())
		}
	}
	want := []string{
		"ko://example.com/app Deployment prod/app, spec.template.spec.containers[0].image",
		"ko://example.com/app the manifest at line 28, [0].value",
		"ko://example.com/block ConfigMap script, data.run",
		"ko://example.com/init Deployment prod/app, spec.template.spec.initContainers[0].image",
		"ko://example.com/key Deployment prod/app, metadata.annotations.ko://example.com/key",
		"ko://example.com/tool Deployment prod/app, spec.template.spec.containers[0].args[1]",
		"ko://example.com/tool Deployment prod/app, spec.template.spec.containers[0].env[0].value",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReplaceWithAMissingImageChangesNothing(t *testing.T) {
	m := parse(t, manifests)
	before, err := m.YAML()
	if err != nil {
		t.Fatal(err)
	}
	err = m.Replace(map[string]name.Reference{"ko://example.com/app": image(t, "ko://example.com/app")})
	if err == nil || !strings.Contains(err.Error(), "no image was published for ko://example.com/") {
		t.Errorf("error %v", err)
	}
	after, err := m.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Errorf("it changed to\n%s", after)
	}
}

func TestParseSaysWhichManifestIsBroken(t *testing.T) {
	_, err := resolve.Parse([]byte("kind: A\n---\nkind: [\n"))
	if err == nil || !strings.Contains(err.Error(), "parsing manifest 2") {
		t.Errorf("error %v", err)
	}
}

func TestNoManifestsAreNoYAML(t *testing.T) {
	if got, err := parse(t, "").YAML(); err != nil || len(got) > 0 {
		t.Errorf("got %q, error %v", got, err)
	}
}

func parse(t *testing.T, text string) *resolve.Manifests {
	t.Helper()
	m, err := resolve.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// image is the reference that stands for an import path in these tests.
func image(t *testing.T, importPath string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference("registry.example.com/" + strings.TrimPrefix(importPath, build.StrictScheme))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// resolveUpstream resolves with upstream's own code.
func resolveUpstream(t *testing.T, text string) string {
	t.Helper()
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		doc := &yaml.Node{}
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	if err := upstream.ImageReferences(t.Context(), docs, anyBuilder{}, imagePublisher{t}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, doc := range docs {
		if err := encoder.Encode(doc); err != nil {
			t.Fatal(err)
		}
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// anyBuilder takes every import path; what is compared here is which ones
// upstream asks for.
type anyBuilder struct{}

func (anyBuilder) QualifyImport(path string) (string, error)                    { return path, nil }
func (anyBuilder) IsSupportedReference(string) error                            { return nil }
func (anyBuilder) Build(context.Context, string) (result build.Result, _ error) { return result, nil }

type imagePublisher struct{ t *testing.T }

func (p imagePublisher) Publish(_ context.Context, _ build.Result, importPath string) (name.Reference, error) {
	return image(p.t, importPath), nil
}
func (imagePublisher) Close() error { return nil }
