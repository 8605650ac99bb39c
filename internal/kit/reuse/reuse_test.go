package reuse_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/reuse"
	"github.com/koshop/koshop/internal/kit/usercache"
)

// user builds the image of a small program again and again.
type user struct {
	*testing.T
	host    string
	records string

	building   options.BuildOptions
	publishing options.PublishOptions
	rebuild    bool
	remote     bool
	beforehand func() // is called before the image is built
	meanwhile  func() // is called while the image is built
}

func newUser(t *testing.T) *user {
	kittest.Unset(t, "GOFLAGS", "CGO_ENABLED", "KOCACHE", "SOURCE_DATE_EPOCH", "KO_DATA_DATE_EPOCH")
	u := &user{T: t, host: kittest.UseRegistry(t)}
	u.clone()
	u.reset()
	return u
}

// clone writes the program into a new directory, as on a machine that has no records.
func (u *user) clone() {
	u.Helper()
	u.records = u.TempDir()
	u.Chdir(u.TempDir())
	u.write("go.mod", "module example.com/app\n\ngo 1.26\n")
	u.write("web/main.go", "package main\n\nfunc main() { println(\"hello\") }\n")
	u.write("web/kodata/page", "hello\n")
}

// reset sets the options to those of a user who sets none.
func (u *user) reset() {
	u.building = options.BuildOptions{SBOM: "none", Trimpath: true}
	u.publishing = options.PublishOptions{DockerRepo: u.host, Push: true, Tags: []string{"latest"}}
	u.rebuild, u.beforehand, u.meanwhile = false, func() {}, func() {}
}

func (u *user) write(file, text string) {
	u.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		u.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		u.Fatal(err)
	}
}

// run returns what the image is deployed by, and why it was built; "" if it was not.
func (u *user) run() (reference, reason string) {
	u.Helper()
	ctx := u.Context()
	building, publishing := u.building, u.publishing
	publisher, err := publish.New(&publishing)
	u.check(err)
	settings, err := program.Load(&building, (*exec.Cmd).Run)
	u.check(err)
	bases, err := base.New(ctx, building.InsecureRegistry)
	u.check(err)
	images, err := reuse.New(reuse.Options{
		Settings: settings, Bases: bases, Publisher: publisher, Rebuild: u.rebuild, Remote: u.remote, Directory: usercache.Directory(u.records), Run: (*exec.Cmd).Run,
	})
	u.check(err)
	const web = "ko://example.com/app/web"
	found, reason := images.Find(ctx, web)
	if found != nil {
		return found.String(), reason
	}
	if reason == "" {
		u.Fatal("no image is found, and it is not said why")
	}
	u.beforehand()
	builder, err := build.New(ctx, settings, bases)
	u.check(err)
	image, err := builder.Build(ctx, web)
	u.check(err)
	u.meanwhile()
	published, err := publisher.Publish(ctx, image, web)
	u.check(err)
	digest, err := image.Digest()
	u.check(err)
	u.check(images.Keep(ctx, web, digest.String()))
	return published.String(), reason
}

func (u *user) check(err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
}

// tag returns a tag of the image.
func (u *user) tag(tag string) name.Tag {
	u.Helper()
	ref, err := name.NewTag(u.host + "/web:" + tag)
	u.check(err)
	return ref
}

// named returns the digest of the image that a tag names.
func (u *user) named(tag string) string {
	u.Helper()
	descriptor, err := remote.Head(u.tag(tag))
	u.check(err)
	return descriptor.Digest.String()
}

// layout returns a directory for an OCI layout, whose path has no capitals.
func (u *user) layout() string {
	u.Helper()
	dir, err := os.MkdirTemp("", "layout")
	u.check(err)
	u.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// An image is built when something that it is made of has changed, and only then. What is
// found is what a build makes.
func TestFind(t *testing.T) {
	u := newUser(t)
	first, reason := u.run()
	if reason != "nothing is known of an image before it" {
		t.Fatalf("the first image is built because %q", reason)
	}
	for _, test := range []struct {
		change string
		make   func()
		reason string // "" if it need not be built
	}{
		{"nothing", func() {}, ""},
		{"a file", func() { u.write("web/main.go", "package main\n\nfunc main() { println(\"hi\") }\n") }, "web/main.go changed"},
		{"a file of the data", func() { u.write("web/kodata/page", "hi\n") }, "kodata/page changed"},
		{"a test", func() { u.write("web/main_test.go", "package main\n") }, ""},
		{"a file that is in no image", func() { u.write("web/NOTES", "") }, ""},
		{"the base image", func() { kittest.UseBase(t, u.host, v1.Platform{OS: "linux", Architecture: "amd64"}) }, "changed from sha256:"},
		{"--image-user", func() { u.building.User = "1000" }, "--image-user changed from \"\" to 1000"},
		{"--image-label", func() { u.building.Labels = []string{"a=b"} }, "--image-label changed"},
		{"--image-annotation", func() { u.building.Annotations = []string{"a=b"} }, "--image-annotation changed"},
		{"--ldflags", func() { u.building.Ldflags = []string{"-s"} }, "flags changed"},
		{"--sbom", func() { u.building.SBOM = "spdx" }, "--sbom changed from none to spdx"},
		{"SOURCE_DATE_EPOCH", func() { t.Setenv("SOURCE_DATE_EPOCH", "1") }, "SOURCE_DATE_EPOCH changed"},
		{"linux_capabilities", func() {
			u.write(".ko.yaml", "builds:\n- {id: web, main: ./web, linux_capabilities: [net_bind_service]}\n")
		}, "linux_capabilities changed"},
		{"--rebuild", func() { u.rebuild = true }, "--rebuild"},
		{"--sbom-dir", func() { u.building.SBOMDir = t.TempDir() }, "--sbom-dir wants"},
		{"--oci-layout-path", func() { u.publishing.OCILayoutPath = u.layout() }, "no registry can be asked"},
		{"--bare", func() { u.publishing.Bare, u.publishing.DockerRepo = true, u.host+"/bare" }, "nothing is known"},
	} {
		t.Run(test.change, func(t *testing.T) {
			test.make()
			got, reason := u.run()
			if reason != test.reason && (test.reason == "" || !strings.Contains(reason, test.reason)) {
				t.Fatalf("it is built because %q, want %q", reason, test.reason)
			}
			u.rebuild = true
			if built, _ := u.run(); built != got {
				t.Errorf("found %s, built %s", got, built)
			}
			rebuild := test.change == "--rebuild" || strings.Contains(reason, "--sbom-dir") || strings.Contains(reason, "no registry")
			u.rebuild = false
			if _, reason := u.run(); reason != "" && !rebuild {
				t.Errorf("afterwards, it is built because %q", reason)
			}
			u.building.SBOMDir, u.publishing.OCILayoutPath = "", ""
		})
	}
	if last, _ := u.run(); last == first {
		t.Errorf("the image is still %s", first)
	}
}

// What is not in the registry is built, and what is there gets the tags that are asked for.
func TestRegistry(t *testing.T) {
	u := newUser(t)
	first, _ := u.run()
	_, digest, _ := strings.Cut(first, "@")

	other, err := random.Image(10, 1)
	u.check(err)
	u.check(remote.Write(u.tag("latest"), other))
	if got, reason := u.run(); got != first || reason != "" || u.named("latest") != digest {
		t.Errorf("with the tag on another image: %s because %q, the tag names %s", got, reason, u.named("latest"))
	}

	u.publishing.Tags = []string{"v1", "v2"}
	if got, reason := u.run(); got != first || reason != "" || u.named("v1") != digest || u.named("v2") != digest {
		t.Errorf("with new tags: %s because %q", got, reason)
	}
	u.publishing.Tags = []string{"v1"}
	if got, _ := u.run(); got != u.host+"/web:v1@"+digest {
		t.Errorf("with one tag: %s", got)
	}
	u.publishing.TagOnly = true
	if got, _ := u.run(); got != u.host+"/web:v1" {
		t.Errorf("with --tag-only: %s", got)
	}
	u.reset()

	u.check(remote.Delete(u.tag("latest").Context().Digest(digest)))
	for _, tag := range []string{"latest", "v1", "v2"} {
		if err := remote.Delete(u.tag(tag)); err != nil {
			t.Log(err) // It went with the image.
		}
	}
	if got, reason := u.run(); got != first || !strings.HasPrefix(reason, "its image is no longer in") {
		t.Errorf("after the image is deleted: %s because %q", got, reason)
	}
	if _, reason := u.run(); reason != "" {
		t.Errorf("and once more, because %q", reason)
	}
}

// What was changed while the image was built may or may not be in it.
func TestChangeMeanwhile(t *testing.T) {
	u := newUser(t)
	text, err := os.ReadFile("web/main.go")
	u.check(err)
	u.meanwhile = func() {
		u.write("web/main.go", "package main\n\nfunc main() {}\n")
		u.write("web/main.go", string(text))
	}
	u.run()
	if _, reason := u.run(); reason == "" {
		t.Error("the image is not built again")
	}
}

// The image is built on the base image that its record has, whatever becomes of the tag.
func TestBaseIsMovedMeanwhile(t *testing.T) {
	u := newUser(t)
	image, err := name.ParseReference(os.Getenv("KO_DEFAULTBASEIMAGE"))
	u.check(err)
	former, err := remote.Image(image)
	u.check(err)
	u.beforehand = func() { kittest.UseBase(t, u.host, v1.Platform{OS: "linux", Architecture: "amd64"}) }
	first, _ := u.run()
	u.reset()
	if again, reason := u.run(); reason == "" || again == first {
		t.Errorf("with another base, the image is %s, because %q", again, reason)
	}
	u.check(remote.Write(image, former))
	u.rebuild = true
	if again, _ := u.run(); again != first {
		t.Errorf("with its first base, the image is %s, and not %s", again, first)
	}
}

// An image that is not pushed is not found by those who push.
func TestNoPush(t *testing.T) {
	u := newUser(t)
	u.publishing.Push = false
	u.run()
	u.reset()
	if _, reason := u.run(); reason == "" {
		t.Error("the image is not pushed")
	}
}

// Flags may say which commit the code is from. They are filled in again to compile.
func TestCommitMeanwhile(t *testing.T) {
	u := newUser(t)
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	t.Setenv("GOFLAGS", "-buildvcs=false")
	u.write("web/main.go", "package main\n\nvar commit string\n\nfunc main() { println(commit) }\n")
	git("init", "--quiet", ".")
	git("add", ".")
	git("commit", "--quiet", "--message=one")
	u.building.Ldflags = []string{"-X main.commit={{.Git.FullCommit}}"}
	u.beforehand = func() { git("commit", "--quiet", "--allow-empty", "--message=two") }
	u.run()
	u.beforehand = func() {}
	git("reset", "--quiet", "--soft", "HEAD~1")
	if again, reason := u.run(); reason == "" {
		t.Errorf("at the first commit, %s is found, which was built of the second", again)
	}
}

// Of two labels with one name, the last one counts.
func TestOrderOfLabels(t *testing.T) {
	u := newUser(t)
	u.building.Labels = []string{"a=1", "b=1", "a=2"}
	first, _ := u.run()
	u.building.Labels = []string{"a=1", "a=2", "b=1"}
	if again, reason := u.run(); again != first || reason != "" {
		t.Errorf("the same labels: %s because %q", again, reason)
	}
	u.building.Labels = []string{"a=2", "b=1", "a=1"}
	if again, reason := u.run(); again == first || reason == "" {
		t.Errorf("another label: %s because %q", again, reason)
	}
}
