//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// tilt is a `tilt up` under test.
type tilt struct {
	dir string // a copy of the repository
	log string // file with what it prints
}

// tiltIn looks for the real program, which no package manager of the test
// machine has.
func tiltIn(t *testing.T) *tilt {
	t.Helper()
	if _, err := exec.LookPath("tilt"); err != nil {
		t.Skip("tilt is not on PATH: the Tiltfile and ko_build are not tested")
	}
	return &tilt{dir: clone(t), log: filepath.Join(t.TempDir(), "tilt.log")}
}

// command is tilt with a web port of its own. A tilt that was built from source
// has no web page but for --web-mode=prod.
func (tl *tilt) command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("tilt", args...)
	cmd.Dir = tl.dir
	cmd.Env = append(os.Environ(), "DO_NOT_TRACK=1", "TILT_PORT="+strconv.Itoa(kittest.FreePort(t)), "TILT_WEB_MODE=prod")
	log, err := os.OpenFile(tl.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	cmd.Stdout, cmd.Stderr = log, log
	return cmd
}

// up starts `tilt up`, which ends with the test, or before by the function.
func (tl *tilt) up(t testing.TB, args ...string) (stop func()) {
	t.Helper()
	cmd := tl.command(t, append([]string{"up", "--web-mode=prod", "--stream"}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func (tl *tilt) printed(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(tl.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (tl *tilt) prints(t testing.TB, text string) {
	t.Helper()
	eventually(t, "tilt prints "+text, func(context.Context) error {
		if printed := tl.printed(t); !strings.Contains(printed, text) {
			return fmt.Errorf("it printed\n%s", printed)
		}
		return nil
	})
}

// printsAgain waits until it has printed a text once more than by now.
func (tl *tilt) printsAgain(t testing.TB, text string) {
	t.Helper()
	before := strings.Count(tl.printed(t), text)
	eventually(t, "tilt prints once more "+text, func(context.Context) error {
		if strings.Count(tl.printed(t), text) == before {
			return errors.New("it does not")
		}
		return nil
	})
}

func (tl *tilt) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(tl.dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tl.dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// serves waits for what GET says.
func serves(t *testing.T, url, want string) {
	t.Helper()
	eventually(t, url+" says "+want, func(ctx context.Context) error {
		_, body, err := get(ctx, url)
		if err == nil && !strings.Contains(body, want) {
			err = fmt.Errorf("it says %s", body)
		}
		return err
	})
}

// tilt ci ends by itself, with a true exit code, and tilt down removes all.
func TestTiltCI(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "api")
	if err := tl.command(t, "ci", "--web-mode=prod").Run(); err != nil {
		t.Fatalf("%v\n%s", err, tl.printed(t))
	}
	for _, service := range services {
		if _, err := c.readyPods(t.Context(), "api", service, 1); err != nil {
			t.Error(err)
		}
	}
	if err := tl.command(t, "down", "--delete-namespaces").Run(); err != nil {
		t.Fatalf("%v\n%s", err, tl.printed(t))
	}
	eventually(t, "namespace api is gone", func(ctx context.Context) error {
		if pods, err := c.pods(ctx, "api", "payments-svc"); err != nil || len(pods) > 0 {
			return fmt.Errorf("%d pods are left (error %v)", len(pods), err)
		}
		return nil
	})
	tl.write(t, "internal/shop/payments/extra.go", "package payments\n\nvar _ = mistake\n")
	err := tl.command(t, "ci", "--web-mode=prod", "payments-svc").Run()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(tl.printed(t), "extra.go:3:9: undefined: mistake") {
		t.Errorf("code that does not compile: %v\n%s", err, tl.printed(t))
	}
}

// A service that is named runs alone; a save runs in its pod, which stays; a
// mistake is shown and changes nothing; a package that is imported later is
// watched from then on.
func TestTiltUpReloads(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "api")
	tl.up(t, "orders-svc")
	eventually(t, "orders-svc is ready", func(ctx context.Context) error {
		_, err := c.readyPods(ctx, "api", "orders-svc", 1)
		return err
	})
	if pods, err := c.pods(t.Context(), "api", "payments-svc"); err != nil || len(pods) > 0 {
		t.Errorf("payments-svc runs, though only orders-svc is named (error %v)", err)
	}
	before, err := c.readyPods(t.Context(), "api", "orders-svc", 1)
	if err != nil {
		t.Fatal(err)
	}
	url := c.forward(t, "api", "orders-svc") + "/healthz"
	service := filepath.Join(tl.dir, "internal/shop/orders/service.go")
	source, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	greet := func(expression string) {
		t.Helper()
		edited := strings.Replace(string(source), `Greeting: "orders-svc is well"`, `Greeting: `+expression, 1)
		if edited == string(source) {
			t.Fatal("orders-svc has no greeting to edit")
		}
		if err := os.WriteFile(service, []byte(edited), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	greet(`"first"`)
	serves(t, url, `"first"`)
	greet(`mistake`)
	tl.prints(t, "undefined: mistake")
	serves(t, url, `"first"`)

	tl.write(t, "internal/shop/greeting/greeting.go", "package greeting\n\n// Text is said.\nconst Text = \"second\"\n")
	source = []byte(strings.Replace(string(source), "import (\n", "import (\n\t\"github.com/koshop/koshop/internal/shop/greeting\"\n", 1))
	greet(`greeting.Text`)
	serves(t, url, `"second"`)
	eventually(t, "tilt reads the Tiltfile again", func(context.Context) error {
		if times := strings.Count(tl.printed(t), "Successfully loaded Tiltfile"); times < 2 {
			return fmt.Errorf("it did so %d times", times)
		}
		return nil
	})
	tl.write(t, "internal/shop/greeting/greeting.go", "package greeting\n\n// Text is said.\nconst Text = \"third\"\n")
	serves(t, url, `"third"`)

	after, err := c.readyPods(t.Context(), "api", "orders-svc", 1)
	if err != nil || after[0].UID != before[0].UID || after[0].Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("it is another pod, or was restarted (error %v)", err)
	}
}

// With --images each save is an image of its own, and makes a new pod.
func TestTiltUpWithImages(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "api")
	tl.up(t, "--", "--images", "product-svc")
	before := c.readyAlone(t, "product-svc")
	if container := before.Spec.Containers[0]; len(container.Command) > 0 {
		t.Errorf("it runs under a supervisor: %q", container.Command)
	}
	tl.write(t, "internal/shop/products/extra.go", "package products\n\nimport \"fmt\"\n\nfunc init() { fmt.Println(\"edited\") }\n")
	eventually(t, "another pod of product-svc is ready", func(ctx context.Context) error {
		pods, err := c.readyPods(ctx, "api", "product-svc", 1)
		if err == nil && pods[0].UID == before.UID {
			err = errors.New("it is the same")
		}
		return err
	})
	tl.prints(t, "edited")
}

// readyAlone waits for the only pod of a service.
func (c *cluster) readyAlone(t *testing.T, service string) (pod corev1.Pod) {
	t.Helper()
	eventually(t, service+" is ready", func(ctx context.Context) error {
		pods, err := c.readyPods(ctx, "api", service, 1)
		if err == nil {
			pod = pods[0]
		}
		return err
	})
	return pod
}

// A service that is debugged is so from the start, and after a save, in the same
// pod; its debugger is at the port that editors look for first.
func TestTiltUpDebugs(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "api")
	tl.up(t, "--", "--debug=payments-svc", "payments-svc")
	p := &livePayments{cluster: c, checkout: tl.dir, pod: c.readyAlone(t, "payments-svc")}
	tl.prints(t, "under Delve at port 2345")
	p.url = c.forward(t, "api", "payments-svc") + "/healthz"
	p.stopsAtABreakpoint(t, "localhost:2345")
	edit(t, tl.dir, "Hi Tilt!")
	serves(t, p.url, `"Hi Tilt!"`)
	p.stopsAtABreakpoint(t, "localhost:2345")
	p.isTheSamePod(t)
}

// A namespace of one's own is made by somebody else, and stays.
func TestTiltInANamespaceOfOnesOwn(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	namespace := c.newNamespace(t)
	tl.write(t, "Tiltfile.local", "namespace: "+namespace+"\n")
	if err := tl.command(t, "ci", "--web-mode=prod", "orders-svc").Run(); err != nil {
		t.Fatalf("%v\n%s", err, tl.printed(t))
	}
	if _, err := c.readyPods(t.Context(), namespace, "orders-svc", 1); err != nil {
		t.Error(err)
	}
	if err := tl.command(t, "down", "--delete-namespaces").Run(); err != nil {
		t.Fatalf("%v\n%s", err, tl.printed(t))
	}
	if _, err := c.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("tilt down: %v", err)
	}
}

// Nobody edits the Tiltfile to deploy to a cluster that Tilt takes for production.
func TestTiltOnAClusterThatMightBeProduction(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "api")
	config, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		t.Fatal(err)
	}
	current := *config.Contexts[cmp.Or(os.Getenv("CONTEXT"), config.CurrentContext)]
	config.Contexts, config.CurrentContext = map[string]*clientcmdapi.Context{"far": &current, "away": &current}, "far"
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	ci := func(context string, args ...string) error {
		config.CurrentContext = context
		if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
			t.Fatal(err)
		}
		cmd := tl.command(t, append([]string{"ci", "--web-mode=prod", "--", "product-svc"}, args...)...)
		cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig)
		return cmd.Run()
	}
	if err := ci("far"); err == nil || !strings.Contains(tl.printed(t), "far might be a production kube context") {
		t.Errorf("it deploys to any cluster (error %v)\n%s", err, tl.printed(t))
	}
	if err := ci("far", "--allow-context=far"); err != nil {
		t.Errorf("--allow-context: %v\n%s", err, tl.printed(t))
	}
	tl.write(t, "Tiltfile.local", "contexts: [away]\n")
	if err := ci("away"); err != nil {
		t.Errorf("Tiltfile.local: %v\n%s", err, tl.printed(t))
	}
}

// Another repository takes ko_build from this one as an extension, with a registry
// that its Tiltfile names; Tilt prefers the one that the cluster advertises, if it does.
// What ko_build does not know goes to custom_build, such as match_in_env_vars.
func TestKoBuildInAnotherRepository(t *testing.T) {
	c := connect(t)
	tl := tiltIn(t)
	c.claimNamespace(t, "prod")
	t.Cleanup(func() {
		run(t, repository, "", "kubectl", "delete", "crd", "workers.example.com", "--ignore-not-found")
	})
	extension := tl.dir
	tl.dir = filepath.Join(t.TempDir(), "guestbook")
	if err := os.CopyFS(tl.dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	tl.write(t, "Tiltfile", fmt.Sprintf(`
v1alpha1.extension_repo(name='koshop', url='file://%s')
v1alpha1.extension(name='ko_build', repo_name='koshop', repo_path='internal/tilt/ko_build')
load('ext://ko_build', 'ko_build', 'ko_yaml')
allow_k8s_contexts(k8s_context())
default_registry('%s/elsewhere')
k8s_yaml(ko_yaml(kustomize('config/overlays/prod')))
for name in ['web', 'worker']:
    ko_build('ko://example.com/guestbook/cmd/' + name, './cmd/' + name, live=False, ko=%q, match_in_env_vars=True)
`, extension, os.Getenv("KO_DOCKER_REPO"), koPath(t)))
	ci := tl.command(t, "ci", "--web-mode=prod")
	ci.Env = append(ci.Env, "KO_DOCKER_REPO=")
	if err := ci.Run(); err != nil {
		t.Fatalf("%v\n%s", err, tl.printed(t))
	}
	pods, err := c.CoreV1().Pods("prod").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil || len(pods.Items) != 3 {
		t.Fatalf("%d pods run, not 3 (error %v)", len(pods.Items), err)
	}
	registry := cmp.Or(c.advertised(t), os.Getenv("KO_DOCKER_REPO")+"/elsewhere")
	web := pods.Items[0].Spec.Containers[0]
	if image := web.Env[0].Value; !strings.HasPrefix(web.Image, registry+"/") || !strings.Contains(web.Image, ":live-") || image != web.Image {
		t.Errorf("image %s, and in WEB_IMAGE %s", web.Image, image)
	}
}
