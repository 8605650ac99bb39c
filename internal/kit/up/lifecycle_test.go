//go:build unix

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/up"
	"github.com/koshop/koshop/internal/kit/watch"
)

// Scaling leaves the replicas alone that run on; a Service leads where it says.
func TestScalesAndFollowsServices(t *testing.T) {
	r := start(t, newShop(t), func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d", r.port)
	r.answers(front+"/", "v1one")
	pid, _ := r.get(front + "/pid")
	r.replace("config/front.yaml", "metadata: {name: front}\nspec:\n", "metadata: {name: front}\nspec:\n  replicas: 2\n")
	other := ""
	r.wait(func() bool {
		other, _ = r.get(front + "/pid")
		return other != "" && other != pid
	}, func() string { return "there is no second replica" })
	r.replace("config/front.yaml", "  replicas: 2\n", "")
	for range 10 { // The first replica is there all the time.
		if now, err := r.get(front + "/pid"); err != nil || now != pid && now != other {
			t.Errorf("process %s answers (error %v), not %s or %s", now, err, pid, other)
		}
	}
	r.replace("config/front.yaml", "targetPort: http", "targetPort: 8080")
	r.answers(front+"/", "v1one")
}

// What cannot be built at the start runs once it is mended, without a restart.
func TestStartsWhatIsMendedLater(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	for name, test := range map[string]struct{ broken, mended func(*run) }{
		"code": {
			func(r *run) { r.write("greeting/greeting.go", "package greeting\n") },
			func(r *run) { r.greet("v1") },
		},
		"go.mod": {
			func(r *run) { r.write("go.mod", "modul example.com/shop\n") },
			func(r *run) { r.write("go.mod", "module example.com/shop\n\ngo 1.26\n") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newShop(t)
			test.broken(&run{t: t, dir: dir})
			r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
			r.prints("example.com/shop/cmd/web")
			test.mended(r)
			r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "v1one")
		})
	}
}

// A program with a port that cannot be moved is stopped before the new version
// starts; requests wait for that. It may be the module's root, and executables
// do not pile up.
func TestReloadsAProgramWithAFixedPort(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	port := kittest.FreePort(t)
	program := func(answer string) {
		r.write("main.go", fmt.Sprintf(`package main

import (
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	if _, err := net.Listen("tcp", "127.0.0.1:%d"); err != nil {
		panic(err)
	}
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, %q) }))
}
`, port, answer))
	}
	program("first")
	r.write("config/fixed.yaml", fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: fixed}
spec:
  selector: {matchLabels: {app: fixed}}
  template:
    metadata: {labels: {app: fixed}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: ko://example.com/shop
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: %d}]
---
apiVersion: v1
kind: Service
metadata: {name: fixed}
spec: {selector: {app: fixed}, ports: [{port: 80, targetPort: http}]}
`, port))
	r.replace("config/kustomization.yaml", "- other.yaml", "- fixed.yaml")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"fixed", "front"} })
	r.answers(r.service("fixed", "/"), "first")
	stop := load(t, r.service("fixed", "/"))
	for i := range 4 {
		program(fmt.Sprint("edit", i))
		r.answers(r.service("fixed", "/"), fmt.Sprint("edit", i))
	}
	stop()
	kept, err := filepath.Glob(filepath.Join(dir, ".ko/run/*/example.com%2Fshop.*"))
	if err != nil || len(kept) == 0 || len(kept) > 2 {
		t.Errorf("after four reloads there are %q (error %v)", kept, err)
	}
}

// A program that locks its data cannot become ready beside the one before. With
// strategy Recreate that one makes room. A Service's port needs no name, and no
// certain number.
func TestReloadsAProgramThatLocksItsData(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	program := func(answer string) {
		r.write("main.go", fmt.Sprintf(`package main

import (
	"io"
	"net/http"
	"os"
	"syscall"
)

var data *os.File // A collected file would be closed, and unlocked.

func main() {
	var err error
	if data, err = os.Create(os.Getenv("DATA")); err == nil {
		err = syscall.Flock(int(data.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		panic(err)
	}
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, %q) }))
}
`, answer))
	}
	program("first")
	r.write("config/locks.yaml", `apiVersion: apps/v1
kind: Deployment
metadata: {name: locks}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: locks}}
  template:
    metadata: {labels: {app: locks}}
    spec:
      containers:
      - name: main
        image: ko://example.com/shop
        ports: [{containerPort: 3000}]
        env: [{name: DATA, value: /data/lock}]
        volumeMounts: [{name: data, mountPath: /data}]
      volumes:
      - name: data
        persistentVolumeClaim: {claimName: locks}
---
apiVersion: v1
kind: Service
metadata: {name: locks}
spec: {selector: {app: locks}, ports: [{port: 3000}]}
`)
	r.replace("config/kustomization.yaml", "- other.yaml", "- locks.yaml")
	r = start(t, dir, func(o *up.Options) { o.Workloads = []string{"locks"} })
	r.answers(r.service("locks", "/"), "first")
	stop := load(t, r.service("locks", "/"))
	program("second")
	r.answers(r.service("locks", "/"), "second")
	stop()
	r.prints("locks: the new version is not ready beside the one before, which is ended now")
}

// A mistake that is still there after a save is shown again: the one before may
// have scrolled away.
func TestShowsAMistakeAfterEachSave(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "v1one")
	shown := func(times int) {
		r.wait(func() bool { return strings.Count(r.out.String(), "undefined: mistake") == times },
			func() string { return fmt.Sprintf("the mistake is not shown %d times", times) })
	}
	r.write("greeting/extra.go", "package greeting\n\nvar _ = mistake\n")
	shown(1)
	r.write("greeting/extra.go", "package greeting\n\nvar _ = mistake\n\n")
	shown(2)
}

// A Job that fails is tried as often as it asks for, and then the others start;
// an init container that fails holds up its pod.
func TestFailuresOfWhatGoesFirst(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.replace("config/seed.yaml", "spec:\n  template:", "spec:\n  backoffLimit: 1\n  template:")
	r.replace("config/seed.yaml", "/data/seeded", "/data/no/such/directory")
	r.replace("config/front.yaml", "      containers:\n", `      initContainers:
      - name: first
        image: ko://example.com/shop/cmd/seed
        args: [/no/such/directory/file]
      containers:
`)
	r = start(t, dir, nil)
	r.answers(r.service("back", "/"), "v1one")
	r.prints("seed: container seed ended: exit code 2; it is restarted")
	r.prints("front: init container first ended: exit code 2; it is restarted in 10s")
	r.prints("seed: container seed ended: exit code 2; it has failed for good")
	r.replace("config/front.yaml", "/no/such/directory/file", "file")
	r.answers(r.service("front", "/"), "v1one")
}

// A version that fails leaves the one before, and is tried again when a file is
// saved, changed or not. A file of the overlay may come after it is named.
func TestTriesAgainOnSave(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d/", r.port)
	r.answers(front, "v1one")
	block := filepath.Join(dir, "block")
	r.write("block", "")
	r.write("greeting/extra.go", fmt.Sprintf("package greeting\n\nimport \"os\"\n\nfunc init() {\n\tFooter = \"two\"\n\tif _, err := os.Stat(%q); err == nil {\n\t\tpanic(\"blocked\")\n\t}\n}\n", block))
	r.prints("the one before goes on")
	r.answers(front, "v1one")
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	r.replace("greeting/greeting.go", "v1", "v1") // Saved as it was.
	r.answers(front, "v1two")
	r.replace("config/kustomization.yaml", "- other.yaml", "- other.yaml\n- late.yaml")
	r.prints("late.yaml")
	r.write("config/late.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late}\n")
	r.prints("rendered config again")
}

// An Ingress leads by host and path; that is how users come in.
func TestFollowsAnIngress(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.write("config/ingress.yaml", `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
  - host: acme.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: front, port: {name: http}}}}
      - {path: /env, pathType: Exact, backend: {service: {name: back, port: {number: 80}}}}
`)
	r.replace("config/kustomization.yaml", "- other.yaml", "- ingress.yaml")
	r = start(t, dir, nil)
	acme := fmt.Sprintf("http://acme.localhost:%d", r.port)
	r.answers(acme+"/backend", "blue")             // by front
	r.answers(acme+"/env?name=HOSTNAME", "back-0") // by back
	r.prints(fmt.Sprintf(": %s, http://localhost:%d\n", acme, r.port))
	r.prints(fmt.Sprintf(": %s/env, http://back.shop.localhost:%d\n", acme, r.port))
	r.replace("config/ingress.yaml", "acme.example.com", "other.example.com")
	r.answers(fmt.Sprintf("http://other.localhost:%d/env?name=COLOUR", r.port), "blue")
}

// Where the system reports no changes, they are looked for.
func TestPollsForChanges(t *testing.T) {
	r := start(t, newShop(t), func(o *up.Options) {
		o.Watch = watch.Poll
		o.Workloads = []string{"front"}
	})
	front := fmt.Sprintf("http://localhost:%d/", r.port)
	r.answers(front, "v1one")
	r.greet("v2") // Of the same size.
	r.answers(front, "v2one")
	r.replace("config/front.yaml", "BACKEND, value: ", "OTHER, value: a}\n        - {name: BACKEND, value: ")
	r.prints("rendered config again")
	r.answers(front+"env?name=OTHER", "a")
}

// What the manifests ask for and cannot have is refused before anything is
// compiled, all of it at once.
func TestRefusesWhatCannotStart(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	const env = "        env:\n"
	r.replace("config/front.yaml", env, env+"        - {name: SECRET_WORD, valueFrom: {secretKeyRef: {name: secret, key: word}}}\n")
	r.replace("config/back.yaml", "        image: ko://example.com/shop/cmd/web\n", "        image: ko://example.com/shop/cmd/web\n        command: [/bin/sh, -c, web]\n")
	r.write("cmd/web/broken.go", "package main\n\nvar x = missing\n")
	var out buffer
	opts, log := options(t, &out)
	defer log.Close()
	err := up.Run(t.Context(), opts)
	for _, want := range []string{
		"kustomization config: ", "deployment.apps/front: SECRET_WORD is in Secret secret, key word, which is not in the kustomization",
		`command ["/bin/sh" "-c" "web"] is not the program of the image`, "/ko-app/web",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err, out.String()), "missing") {
		t.Errorf("it was compiled: %v\n%s", err, out.String())
	}
}

// The same mistakes, made later, change nothing until they are repaired.
func TestGoesOnUntilAMistakeIsRepaired(t *testing.T) {
	dir := newShop(t)
	r := start(t, dir, func(o *up.Options) { o.Workloads = []string{"front"} })
	front := fmt.Sprintf("http://localhost:%d/", r.port)
	r.answers(front, "v1one")
	const env = "        env:\n"
	r.replace("config/front.yaml", env, env+"        - {name: SECRET_WORD, valueFrom: {secretKeyRef: {name: secret, key: word}}}\n")
	r.prints("SECRET_WORD is in Secret secret, key word, which is not in the kustomization")
	r.answers(front, "v1one")
	r.replace("config/kustomization.yaml", "configMapGenerator:", "secretGenerator:\n- name: secret\n  literals: [word=hush]\nconfigMapGenerator:")
	r.answers(front+"env?name=SECRET_WORD", "hush")
}

// The state directory may be one that has a .gitignore.
func TestKeepsAGitignore(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	r.write(".gitignore", "/bin/\n")
	r = start(t, dir, func(o *up.Options) { o.State, o.Workloads = ".", []string{"front"} })
	r.answers(fmt.Sprintf("http://localhost:%d/", r.port), "v1one")
	if content, err := os.ReadFile(".gitignore"); string(content) != "/bin/\n" {
		t.Errorf(".gitignore has become %q (error %v)", content, err)
	}
}
