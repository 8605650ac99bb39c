package build_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	ko "github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
)

// hello is a module with one program, which tells how it was compiled.
func hello() map[string]string {
	return map[string]string{
		"go.mod": "module example.com/hello\n\ngo 1.26\n",
		"cmd/hello/main.go": `package main

import "os"

var greeting, tag = "hello", "untagged"

func main() { os.Stdout.WriteString(greeting + ", " + tag) }
`,
		"cmd/hello/loud.go":         "//go:build loud\n\npackage main\n\nfunc init() { tag = \"loud\" }\n",
		"cmd/hello/kodata/data.txt": "data\n",
		".git/HEAD":                 "",
	}
}

const helloPath = "ko://example.com/hello/cmd/hello"

// An image holds the bytes that upstream ko puts into it, and what `ko reload`
// and `ko up` compile for the same platform is the same executable.
func TestImagesAndExecutablesAreUpstreams(t *testing.T) {
	host := kittest.UseRegistry(t)
	for name, test := range map[string]struct {
		config string            // .ko.yaml
		env    map[string]string // of this process
		opts   options.BuildOptions
		slow   bool // the standard library is compiled anew
	}{
		"no settings":         {},
		"trimpath":            {opts: options.BuildOptions{Trimpath: true}},
		"no optimizations":    {opts: options.BuildOptions{DisableOptimizations: true, Trimpath: true}, slow: true},
		"ldflags":             {config: "defaultLdflags: [-s -w]\n", opts: options.BuildOptions{Ldflags: []string{"-X main.greeting=flag"}}},
		"platform":            {config: "defaultPlatforms: [linux/arm64]\n", slow: true},
		"variant of ARM":      {opts: options.BuildOptions{Platforms: []string{"linux/arm/v6"}}, slow: true},
		"variant of AMD64":    {opts: options.BuildOptions{Platforms: []string{"linux/amd64/v2"}}, slow: true},
		"GOOS and GOARCH":     {env: map[string]string{"GOOS": "linux", "GOARCH": "arm64"}, slow: true},
		"GOARM":               {env: map[string]string{"GOOS": "linux", "GOARCH": "arm", "GOARM": "6"}, slow: true},
		"GOAMD64":             {env: map[string]string{"GOAMD64": "v2"}, slow: true},
		"GOFLAGS":             {env: map[string]string{"GOFLAGS": "-tags=loud"}, slow: true},
		"default flags":       {config: "defaultFlags: [-tags=loud, -trimpath]\n"},
		"default environment": {config: "defaultEnv: [GOFLAGS=-tags=loud, GOAMD64=v2]\n", slow: true},
		"KO environment":      {env: map[string]string{"KO_DEFAULTLDFLAGS": "-X=main.greeting=hey"}},
		"template of the environment": {
			config: "defaultLdflags: ['-X main.greeting={{.Env.WHO}}{{.Env.GOOS}}{{.Env.LDFLAGS}}']\n", env: map[string]string{"WHO": "ada"},
		},
		"template of the go environment": {
			slow: true, config: "defaultEnv: [GOAMD64=v2]\ndefaultLdflags: ['-X main.greeting={{.GoEnv.CGO_ENABLED}}/{{.GoEnv.GOARCH}}/{{.GoEnv.GOVERSION}}/{{.GoEnv.GOAMD64}}']\n",
		},
		"template of the time": {
			config: "defaultLdflags: ['-X main.greeting={{.Timestamp}}/{{.Date}}']\n", env: map[string]string{"SOURCE_DATE_EPOCH": "1700000000"},
		},
		"template of the repository": {config: "defaultLdflags: ['-X main.greeting={{.Git.Branch}}/{{.Git.Tag}}/{{.Git.FullCommit}}/{{.Git.TreeState}}']\n"},
		"entry": {slow: true, config: "defaultFlags: [-tags=quiet]\ndefaultEnv: [GOAMD64=v3]\nbuilds:\n" +
			"- {id: hello, main: ./cmd/hello, flags: [-tags, loud], ldflags: [-X main.greeting=own], env: [GOAMD64=v2]}\n"},
		"entry that names a file":   {config: "builds: [{main: ./cmd/hello/main.go, flags: [-tags=loud]}]\n"},
		"entry with a directory":    {config: "builds: [{dir: cmd, main: ./hello, flags: [-tags=loud]}]\n"},
		"entry of another platform": {slow: true, config: "defaultPlatforms: [linux/arm64]\nbuilds: [{main: ./cmd/hello, ldflags: ['-X main.greeting={{.Env.GOARCH}}']}]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.slow && testing.Short() {
				t.Skip("slow: it compiles the standard library anew")
			}
			write(t, hello(), map[string]string{".ko.yaml": test.config})
			repository(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			test.opts.SBOM = "none"
			target, err := settings(t, test.opts, (*exec.Cmd).Run).ImageTarget()
			if err != nil {
				t.Fatal(err)
			}
			kittest.UseBase(t, host, target.Platform)
			theirs := upstreamImage(t, test.opts)
			image := ourImage(t, test.opts)
			if ours, want := digest(t, image), digest(t, theirs); ours != want {
				t.Errorf("the image is %s, upstream's is %s", ours, want)
			}
			want := files(t, theirs)["/ko-app/hello"]
			if got := executable(t, test.opts); !bytes.Equal(got, want) || len(want) == 0 {
				t.Errorf("the executable has %d bytes, and is not that of upstream's image, which has %d", len(got), len(want))
			}
		})
	}
}

// Links in kodata to files of the repository are in the image what they lead to, and
// the executable is what it would be without them.
func TestLinksInDataAreFollowed(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	kittest.UseRegistry(t)
	for name, test := range map[string]struct{ link, target, file, want string }{
		"to a file":      {"cmd/hello/kodata/licence", "../../../LICENCE", "licence", "free\n"},
		"to a directory": {"cmd/hello/kodata/site", "../../../site", "site/index.html", "hi\n"},
		"kodata itself":  {"cmd/hello/kodata", "../../site", "index.html", "hi\n"},
		"to git's head":  {"cmd/hello/kodata/HEAD", "../../../.git/HEAD", "HEAD", "ref: refs/heads/trunk\n"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, hello(), map[string]string{
				"LICENCE": "free\n", "site/index.html": "hi\n",
				".ko.yaml": "defaultFlags: [-trimpath]\ndefaultLdflags: ['-X main.greeting={{.Git.Tag}}{{.Env.GOARCH}}']\n",
			})
			if test.link == "cmd/hello/kodata" {
				os.RemoveAll(test.link)
			}
			if err := os.Symlink(test.target, test.link); err != nil {
				t.Fatal(err)
			}
			repository(t)
			all := files(t, ourImage(t, options.BuildOptions{SBOM: "none"}))
			if got := string(all["/var/run/ko/"+test.file]); got != test.want {
				t.Errorf("%s is %q, want %q", test.file, got, test.want)
			}
			if !bytes.Equal(all["/ko-app/hello"], executable(t, options.BuildOptions{})) {
				t.Error("the executable is another one")
			}
		})
	}
}

// write puts files into a new directory and makes it the working directory.
func write(t *testing.T, sets ...map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, set := range sets {
		for name, content := range set {
			if content == "" {
				continue
			}
			name = filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Chdir(dir)
	return dir
}

// repository commits what is in the working directory.
func repository(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=trunk"}, {"add", "."},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message=first"}, {"tag", "v1.2.3"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
}

func upstreamImage(t *testing.T, opts options.BuildOptions) v1.Image {
	t.Helper()
	builder, err := commands.NewBuilder(t.Context(), &opts)
	if err != nil {
		t.Fatal(err)
	}
	result, err := builder.Build(t.Context(), helloPath)
	return asImage(t, result, err)
}

func ourImage(t *testing.T, opts options.BuildOptions) v1.Image {
	t.Helper()
	bases, err := base.New(t.Context(), opts.InsecureRegistry)
	if err != nil {
		t.Fatal(err)
	}
	builder, err := build.New(t.Context(), settings(t, opts, (*exec.Cmd).Run), bases)
	if err != nil {
		t.Fatal(err)
	}
	result, err := builder.Build(t.Context(), helloPath)
	return asImage(t, result, err)
}

func settings(t *testing.T, opts options.BuildOptions, run func(*exec.Cmd) error) *program.Settings {
	t.Helper()
	s, err := program.Load(&opts, run)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asImage(t *testing.T, result ko.Result, err error) v1.Image {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return result.(v1.Image)
}

func digest(t *testing.T, image v1.Image) string {
	t.Helper()
	hash, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

// files returns what an image holds, by absolute path.
func files(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	stream := mutate.Extract(image)
	defer stream.Close()
	all := map[string][]byte{}
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			all[path.Clean("/"+strings.TrimPrefix(header.Name, "/"))] = content
		}
	}
}

// executable returns what is compiled for the images' platform.
func executable(t *testing.T, opts options.BuildOptions) []byte {
	t.Helper()
	tools, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	compiler, err := compile.New(settings(t, opts, tools.Run), tools, t.TempDir()).ForImages()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := compiler.Compile(t.Context(), helloPath, out); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
