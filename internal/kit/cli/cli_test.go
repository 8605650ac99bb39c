package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/koshop/koshop/internal/kit/cli"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/route"
)

// guestbook is a module that is not ours: two commands, a kustomization, and no
// configuration of ko.
const guestbook = "testdata/guestbook"

// ko runs the command and returns what it printed.
func ko(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd := cli.New(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errOut.String(), err
}

func TestResolvePublishesEveryReference(t *testing.T) {
	host := kittest.UseRegistry(t)
	t.Chdir(guestbook)
	stdout, stderr, err := ko(t, "resolve", "-k", "config/overlays/prod")
	if err != nil {
		t.Fatal(err)
	}
	// A reference inside a longer text is no reference, to upstream either.
	if got := strings.Replace(stdout, "see ko://example.com/guestbook/cmd/web", "", 1); strings.Contains(got, "ko://") {
		t.Errorf("references are left in:\n%s", stdout)
	}
	for command, uses := range map[string]int{"web": 2, "worker": 4} {
		images := regexp.MustCompile(regexp.QuoteMeta(host+"/"+command)+`@sha256:[0-9a-f]{64}`).FindAllString(stdout, -1)
		if len(images) != uses {
			t.Fatalf("%d uses of an image named %s by digest, want %d, in:\n%s", len(images), command, uses, stdout)
		}
		ref, err := name.ParseReference(images[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Head(ref); err != nil {
			t.Errorf("%s is not in the registry: %v", ref, err)
		}
	}
	for _, want := range []string{"replicas: 3", "namespace: prod", "docker.io/library/busybox:1.36"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the kustomization's %q is not in:\n%s", want, stdout)
		}
	}
	for _, want := range []string{"rendered config/overlays/prod: 5 objects, 2 images", "web: building", "worker: published " + host} {
		if !strings.Contains(stderr, want) {
			t.Errorf("progress lacks %q:\n%s", want, stderr)
		}
	}
}

func TestQuietShowsNoProgress(t *testing.T) {
	kittest.UseRegistry(t)
	t.Chdir(guestbook)
	_, stderr, err := ko(t, "resolve", "-q", "-k", "config/overlays/prod", "-l", "app=web")
	if err != nil || stderr != "" {
		t.Errorf("error %v, stderr:\n%s", err, stderr)
	}
}

func TestSelectorKeepsMatchingObjects(t *testing.T) {
	kittest.UseRegistry(t)
	t.Chdir(guestbook)
	stdout, _, err := ko(t, "resolve", "-k", "config/overlays/prod", "--selector", "app=worker")
	if err != nil {
		t.Fatal(err)
	}
	if kinds := regexp.MustCompile(`(?m)^kind: (\w+)$`).FindAllStringSubmatch(stdout, -1); len(kinds) != 1 || kinds[0][1] != "Worker" {
		t.Errorf("kinds %v, want Worker only", kinds)
	}
}

// --namespace moves the whole kustomization, and not one file of it changes.
func TestNamespaceMovesTheKustomization(t *testing.T) {
	kittest.UseRegistry(t)
	t.Chdir(guestbook)
	const file = "config/overlays/prod/kustomization.yaml"
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{{"--namespace=team1"}, {"-n", "team1"}} {
		stdout, _, err := ko(t, append([]string{"resolve", "-k", "config/overlays/prod", "--selector", "app!=worker"}, flags...)...)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(stdout, "prod") {
			t.Errorf("something is left in namespace prod:\n%s", stdout)
		}
		// The Namespace, the Deployment and the ConfigMap; a definition is in none.
		if places := regexp.MustCompile(`(?m)^  (name|namespace): team1$`).FindAllString(stdout, -1); len(places) != 3 {
			t.Errorf("%d objects are, or are in, namespace team1, want 3:\n%s", len(places), stdout)
		}
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("error %v, %s has changed:\n%s", err, file, after)
	}
}

// Naming flags, tags and all else that upstream reads from flags keep their
// meaning with -k.
func TestUpstreamFlagsApplyToKustomizations(t *testing.T) {
	host := kittest.UseRegistry(t)
	t.Chdir(guestbook)
	stdout, _, err := ko(t, "resolve", "-k", "config/overlays/prod", "-l", "app=worker",
		"--preserve-import-paths", "--tags", "v1,v2", "--tag-only=false", "--sbom", "none")
	if err != nil {
		t.Fatal(err)
	}
	if want := host + "/example.com/guestbook/cmd/worker@sha256:"; !strings.Contains(stdout, want) {
		t.Errorf("no %s in:\n%s", want, stdout)
	}
	ref, err := name.ParseReference(host + "/example.com/guestbook/cmd/worker:v2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(ref); err != nil {
		t.Errorf("the second tag was not pushed: %v", err)
	}
}

// Layers of the base are read when the tarball is finished, long after the build.
func TestTarballIsWhole(t *testing.T) {
	host := kittest.UseRegistry(t)
	t.Chdir(guestbook)
	file := filepath.Join(t.TempDir(), "images.tar")
	if _, _, err := ko(t, "resolve", "-k", "config/overlays/prod", "--push=false", "--tarball", file); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"web", "worker"} {
		tag, err := name.NewTag(host + "/" + command + ":latest")
		if err != nil {
			t.Fatal(err)
		}
		image, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(image); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

// One clear error, which names the thing and the remedy, for each mistake.
func TestMistakes(t *testing.T) {
	closed := closedPort(t)
	overlay := "config/overlays/prod"
	mistakes(t, map[string]mistake{
		"files and kustomization": {
			args: []string{"apply", "-f", "config/base/web.yaml", "-k", overlay},
			want: []string{"-f and -k cannot be used together"},
		},
		"no kustomization in the directory": {
			args: []string{"resolve", "-k", "config/empty"},
			want: []string{"config/empty holds no kustomization", "kustomization.yaml"},
		},
		"no such directory": {
			args: []string{"resolve", "-k", "config/overlays/pord"},
			want: []string{"kustomization config/overlays/pord: no such directory"},
		},
		"a file": {
			args: []string{"resolve", "-k", "config/base/kustomization.yaml"},
			want: []string{"is a file", "-k takes the directory that holds it, here config/base"},
		},
		"a resource that is not there": {
			args: []string{"resolve", "-k", "config/broken"},
			want: []string{"rendering kustomization config/broken", "missing.yaml"},
		},
		"no main package": {
			args: []string{"resolve", "-k", "config/notmain"},
			want: []string{"Pod greeter, spec.containers[0].image", "ko://example.com/guestbook/greeting cannot be built", "main package"},
		},
		"two commands of one name": {
			args: []string{"resolve", "-k", "config/samename"},
			want: []string{"guestbook/cmd/web", "guestbook/tools/web", "--preserve-import-paths"},
		},
		"registry not set": {
			env:  map[string]string{"KO_DOCKER_REPO": ""},
			args: []string{"resolve", "-k", overlay},
			want: []string{"KO_DOCKER_REPO is not set", "; looking for one that the cluster advertises: reading the kubeconfig: there is no "},
		},
		"registry unreachable": {
			env:  map[string]string{"KO_DOCKER_REPO": closed},
			args: []string{"resolve", "-k", overlay},
			want: []string{"publishing ko://example.com/guestbook/cmd/", closed, "connection refused", "KO_DOCKER_REPO"},
		},
		"base image unreachable": {
			env:  map[string]string{"KO_DEFAULTBASEIMAGE": closed + "/static"},
			args: []string{"resolve", "-k", overlay},
			want: []string{"the base image " + closed + "/static cannot be fetched", "defaultBaseImage in .ko.yaml"},
		},
		"wait with files": {
			args: []string{"apply", "--wait", "-f", "config/base/web.yaml"},
			want: []string{"--wait goes with -k"},
		},
		"taking fields with files": {
			args: []string{"apply", "--force-conflicts", "-f", "config/base/web.yaml"},
			want: []string{"--force-conflicts goes with -k"},
		},
		"replacing with create": {
			args: []string{"create", "--replace", "-k", overlay},
			want: []string{"unknown flag: --replace"},
		},
		"timeout without wait": {
			args: []string{"apply", "--timeout=1m", "-k", overlay},
			want: []string{"--timeout goes with --wait"},
		},
		"quiet with files": {
			args: []string{"delete", "-q", "-f", "config/base/web.yaml"},
			want: []string{"--quiet goes with -k"},
		},
		"bad selector": {
			args: []string{"resolve", "-k", overlay, "-l", "a=b=c"},
			want: []string{`--selector "a=b=c"`},
		},
		"stray argument": {
			args: []string{"apply", "-k", overlay, "config/base"},
			want: []string{`unexpected argument "config/base"`},
		},
		"kubectl's other flags": {
			args: []string{"apply", "-k", overlay, "--", "--prune"},
			want: []string{"unknown flag: --prune", "connection flags"},
		},
		"unknown context": {
			args: []string{"apply", "-k", overlay, "--context", "nowhere"},
			want: []string{`context "nowhere" does not exist`, "--context"},
		},
		"namespace with files to resolve": {
			args: []string{"resolve", "--namespace", "team1", "-f", "config/base/web.yaml"},
			want: []string{"--namespace goes with -k"},
		},
		"a cluster with files to resolve": {
			args: []string{"resolve", "--context", "team1", "-f", "config/base/web.yaml"},
			want: []string{"--context goes with -k"},
		},
		"no name of a namespace": {
			args: []string{"resolve", "-k", overlay, "--namespace", "preview_42"},
			want: []string{`--namespace "preview_42": the name of a namespace is`},
		},
		"namespace of an unset variable": {
			args: []string{"delete", "-k", overlay, "--namespace="},
			want: []string{`--namespace ""`},
		},
		"namespace behind the dash": {
			args: []string{"apply", "-k", overlay, "--", "-n", strings.Repeat("a", 64)},
			want: []string{`aaa": the name of a namespace is at most 63`},
		},
		"namespace to run in": {
			args: []string{"up", "-k", overlay, "-n", "Team1"},
			want: []string{`--namespace "Team1"`},
		},
		"nothing to run": {
			args: []string{"up"},
			want: []string{"ko up needs the directory of a kustomization: ko up -k DIRECTORY, such as ko up -k kustomize/overlays/dev"},
		},
		"a directory to run without its flag": {
			args: []string{"up", "config/base"},
			want: []string{"such as ko up -k config/base"},
		},
		"no directory to run": {
			args: []string{"up", "-k", ""},
			want: []string{"-k needs the directory of a kustomization"},
		},
		"two directories to run": {
			args: []string{"up", "-k", overlay, "-k", "config/base"},
			want: []string{"-k was given twice: config/overlays/prod and config/base"},
		},
		"no port to run at": {
			args: []string{"up", "-k", overlay, "--port", "0"},
			want: []string{"--port 0: expected a port from 1 to 65535"},
		},
		"no way to watch": {
			args: []string{"up", "-k", overlay, "--watch", "sometimes"},
			want: []string{"--watch", "expected auto, events or poll"},
		},
		"a Service without a port": {
			args: []string{"up", "-k", overlay, "--service", "postgres=127.0.0.1"},
			want: []string{`--service "postgres=127.0.0.1": expected SERVICE=HOST:PORT`},
		},
		"an environment that is not there": {
			args: []string{"up", "-k", overlay, "web", "--env-file", "none.env"},
			want: []string{"--env-file: open none.env"},
		},
		"an environment of no workload": {
			args: []string{"up", "-k", overlay, "--env-file", "none.env"},
			want: []string{"--env-file is the environment of one workload: name it"},
		},
		"unknown flag of delete": {
			args: []string{"delete", "-k", overlay, "--cascade=orphan"},
			want: []string{"unknown flag: --cascade"},
		},
	})
}

// mistake is a call that fails.
type mistake struct {
	env  map[string]string
	args []string
	want []string // in the error
}

// mistakes makes each of them on the guestbook.
func mistakes(t *testing.T, tests map[string]mistake) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			kittest.UseRegistry(t)
			t.Setenv("KUBECONFIG", t.TempDir()+"/none")
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			t.Chdir(guestbook)
			stdout, stderr, err := ko(t, test.args...)
			if err == nil {
				t.Fatalf("no error; it printed:\n%s", stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if n := strings.Count(stderr, err.Error()); n != 1 {
				t.Errorf("the error was printed %d times:\n%s", n, stderr)
			}
			if stdout != "" {
				t.Errorf("it printed manifests all the same:\n%s", stdout)
			}
		})
	}
}

func TestCompileErrorNamesFileAndLine(t *testing.T) {
	kittest.Unset(t, "CGO_ENABLED")
	kittest.UseRegistry(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	broken := []byte("package main\n\nfunc main() { undefined() }\n")
	if err := os.WriteFile(dir+"/cmd/worker/main.go", broken, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	_, _, err := ko(t, "resolve", "-k", "config/overlays/prod")
	for _, want := range []string{"cmd/worker/main.go:3:15: undefined: undefined", "CGO_ENABLED=0 go build -trimpath -o /dev/null example.com/guestbook/cmd/worker"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// closedPort returns a loopback address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	return route.Loopback(kittest.FreePort(t))
}
