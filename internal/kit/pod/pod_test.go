package pod_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/pod"
)

const severalContainers = `apiVersion: v1
kind: Pod
metadata: {name: app, namespace: api}
spec:
  terminationGracePeriodSeconds: 7
  initContainers:
  - {name: first, image: ko://example.com/first}
  - {name: proxy, image: ko://example.com/proxy, restartPolicy: Always, ports: [{containerPort: 9000}], args: ["--port=9000"]}
  - {name: second, image: ko://example.com/second}
  containers:
  - {name: main, image: ko://example.com/main, ports: [{containerPort: 8080}], args: ["http://localhost:9000", "--upstream=localhost:8080"]}
  - {name: other, image: ko://example.com/other, args: ["http://localhost:8080"]}
`

func TestContainersOfAPodReachEachOther(t *testing.T) {
	p := newPod(t, read(t, severalContainers), "app", newSite(t))
	if p.Name != "app" || p.Grace != 7*time.Second {
		t.Errorf("pod %s with %s of grace", p.Name, p.Grace)
	}
	if got := names(p.Init); got != "first second" {
		t.Errorf("init containers %s", got)
	}
	if got := names(p.Containers); got != "proxy main other" || !p.Containers[0].Sidecar || p.Containers[1].Sidecar {
		t.Errorf("containers %s", got)
	}
	proxy, main, other := p.Containers[0], p.Containers[1], p.Containers[2]
	portOf := func(c pod.Container) string { port, _ := variable(c, "PORT"); return port }
	for _, test := range []struct{ got, want string }{
		{proxy.Args[0], "--port=" + portOf(proxy)},
		{main.Args[0], "http://127.0.0.1:" + portOf(proxy)},
		{main.Args[1], "--upstream=127.0.0.1:" + portOf(main)},
		{other.Args[0], "http://127.0.0.1:" + portOf(main)},
	} {
		if test.got != test.want {
			t.Errorf("argument %s, want %s", test.got, test.want)
		}
	}
	if main.Binary != "/built/example.com/main" || main.ImportPath != "example.com/main" {
		t.Errorf("binary %s of %s", main.Binary, main.ImportPath)
	}
}

func names(containers []pod.Container) string {
	var list []string
	for _, c := range containers {
		list = append(list, c.Name)
	}
	return strings.Join(list, " ")
}

func TestPortsThatOnlyAServiceNames(t *testing.T) {
	wantPorts(t, app(t, newSite(t), "", service("app", "[{port: 80, targetPort: 8000}]")), map[int32]int{8000: 20001})
	wantPorts(t, app(t, newSite(t), "ports: [{containerPort: 9000}]", service("app", "[{port: 80, targetPort: 8000}]")), map[int32]int{9000: 20001, 8000: 8000})
}

func TestCommand(t *testing.T) {
	for command, want := range map[string]string{"[/ko-app/app, a]": "a b", "[app]": "b", "[]": "b"} {
		c := app(t, newSite(t), "command: "+command+"\nargs: [b]")
		if got := strings.Join(c.Args, " "); got != want || c.Binary != "/built/example.com/cmd/app" {
			t.Errorf("%s: runs %s with %s, want %s", command, c.Binary, got, want)
		}
	}
	for _, command := range []string{"/bin/sh", "/ko-app/other"} {
		plan := read(t, deployment("app", "command: ["+command+"]"))
		_, err := podOf(plan, plan.Workloads[0], newSite(t))
		want := `deployment.apps/app: container main: command ["` + command + `"] is not the program of the image: ko builds an image with nothing but /ko-app/app in it; leave command out, or begin it with that path`
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestWorkingDirectory(t *testing.T) {
	site := newSite(t)
	for dir, want := range map[string]string{"/": "", "/a/b": "a/b", "/../../x": "x"} {
		if got := app(t, site, "workingDir: "+dir).Dir; got != filepath.Join(site.Root, want) {
			t.Errorf("%s is %s, want %s", dir, got, filepath.Join(site.Root, want))
		}
	}
	if got := app(t, site, "").Dir; got != site.Root {
		t.Errorf("working directory %s, want %s", got, site.Root)
	}
}

func TestProbes(t *testing.T) {
	const volumes = "      volumes: [{name: v, emptyDir: {}}]\n"
	plan := read(t, strings.TrimSuffix(deployment("app", `
ports: [{name: http, containerPort: 8080}]
env: [{name: FILE, value: x}]
volumeMounts: [{name: v, mountPath: /v}]
readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
livenessProbe: {tcpSocket: {port: 8080, host: example.com}}
startupProbe: {exec: {command: [/ko-app/app, "health", "/v/$(FILE)", "localhost:8080"]}}`), "---\n")+volumes)
	c := newPod(t, plan, "app", newSite(t)).Containers[0]
	if get := c.Readiness.HTTPGet; get.Host != "127.0.0.1" || get.Port != 20001 || get.Path != "/readyz" || c.Readiness.PeriodSeconds != 1 {
		t.Errorf("readiness %v", c.Readiness)
	}
	if s := c.Liveness.TCPSocket; s.Host != "example.com" || s.Port != 8080 {
		t.Errorf("liveness %v", c.Liveness)
	}
	if got := c.Startup.Command; !strings.HasSuffix(got[2], "/.volumes/v/x") || !slices.Equal([]string{got[0], got[1], got[3]}, []string{"/built/example.com/cmd/app", "health", "127.0.0.1:20001"}) {
		t.Errorf("startup %q", got)
	}
	c = app(t, newSite(t), "livenessProbe: {grpc: {port: 9000}}\nstartupProbe: {httpGet: {port: 9000}}")
	if c.Liveness.GRPC.Port != 20001 || c.Startup.HTTPGet.Port != 20001 || c.Readiness != nil {
		t.Errorf("probes %v, %v, %v", c.Liveness, c.Startup, c.Readiness)
	}
	plan = read(t, deployment("app", "readinessProbe: {httpGet: {port: gone}}"))
	if _, err := podOf(plan, plan.Workloads[0], newSite(t)); err == nil || !strings.Contains(err.Error(), `a probe of container main asks port "gone"`) {
		t.Errorf("error %v", err)
	}
}
