//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kit/kittest/traffic"
)

// server is the server of package traffic behind a Service, as a team would have it.
const server = `
apiVersion: v1
kind: Service
metadata: {name: server}
spec:
  selector: {app.kubernetes.io/name: server}
  ports: [{name: http, port: 8080, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  replicas: %d
  selector: {matchLabels: {app.kubernetes.io/name: server}}
  template:
    metadata: {labels: {app.kubernetes.io/name: server}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: server
        image: ko://github.com/koshop/koshop/internal/kit/kittest/traffic/program
        env: [{name: PORT, value: "8080"}]
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        resources: {limits: {memory: 128Mi}}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

// liveServer is that server under live reload, in a namespace of its own.
type liveServer struct {
	*cluster
	checkout, namespace string
	address             string // of its Service
}

const serverProgram = "internal/kit/kittest/traffic/program"

func deployServer(t *testing.T, replicas int) *liveServer {
	t.Helper()
	s := &liveServer{cluster: connect(t), checkout: clone(t)}
	s.namespace = s.newNamespace(t)
	s.kubectl(t, "", "label", "namespace", s.namespace, "pod-security.kubernetes.io/enforce=restricted")
	dir := filepath.Join(s.checkout, "config")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "kustomization.yaml", "resources: [server.yaml]\n")
	writeFile(t, dir, "server.yaml", fmt.Sprintf(server, replicas))
	s.ko(t, "apply", "-k", "config", "--live", "--wait")
	service, err := s.CoreV1().Services(s.namespace).Get(t.Context(), "server", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.address = net.JoinHostPort(service.Spec.ClusterIP, "8080")
	return s
}

func (s *liveServer) ko(t *testing.T, args ...string) output {
	t.Helper()
	out, err := runKo(t, s.checkout, onCluster(append(args, "--namespace="+s.namespace)...)...)
	if err != nil {
		t.Fatalf("%v: %s", err, out.stderr)
	}
	return out
}

func (s *liveServer) reload(t *testing.T) (output, error) {
	t.Helper()
	return runKo(t, s.checkout, onCluster("reload", "./"+serverProgram, "--namespace="+s.namespace, "--selector=app.kubernetes.io/name=server")...)
}

// becomes edits the program so that it answers with a version, and reloads it.
func (s *liveServer) becomes(t *testing.T, version string) {
	t.Helper()
	path := filepath.Join(s.checkout, serverProgram, "version.go")
	if err := os.WriteFile(path, []byte("//go:build unix\n\npackage main\n\nfunc init() { version = \""+version+"\" }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := s.reload(t); err != nil {
		t.Fatalf("%v: %s", err, out.stderr)
	}
}

// allSay fails unless each pod answers with a version.
func (s *liveServer) allSay(t *testing.T, version string, n int) {
	t.Helper()
	pods, err := s.readyPods(t.Context(), s.namespace, "server", n)
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		_, got, err := get(t.Context(), "http://"+net.JoinHostPort(pod.Status.PodIP, "8080"))
		if err != nil || got != version {
			t.Errorf("pod %s says %q (error %v), expected %s", pod.Name, got, err, version)
		}
	}
}

// reloadCount returns how many reloads a test makes of a kind: what RELOADS says, or a
// few. See make test-reloads.
func reloadCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("RELOADS")
	if text == "" {
		return 20
	}
	count, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("RELOADS: %v", err)
	}
	return count
}

// Reloads, some of them of broken versions, lose no request and cut no stream, in one
// pod and in three.
func TestReloadsUnderTraffic(t *testing.T) {
	reloads := reloadCount(t)
	for _, replicas := range []int{1, 3} {
		t.Run(fmt.Sprint(replicas), func(t *testing.T) {
			s := deployServer(t, replicas)
			broken := filepath.Join(s.checkout, serverProgram, "wrong.go")
			load := traffic.Start(t, s.address)
			last := ""
			for i := range reloads / 2 {
				if i%10 != 5 {
					last = fmt.Sprint("v", i)
					s.becomes(t, last)
					s.allSay(t, last, replicas)
					continue
				}
				writeFile(t, filepath.Dir(broken), filepath.Base(broken), "//go:build unix\n\npackage main\n\nfunc init() { panic(\"wrong\") }\n")
				if out, err := s.reload(t); err == nil || !strings.Contains(out.stderr, "panic: wrong") {
					t.Errorf("a broken version: error %v, %s", err, out.stderr)
				}
				if err := os.Remove(broken); err != nil {
					t.Fatal(err)
				}
			}
			load.Stop(t)
			s.allSay(t, last, replicas)
			s.hasNotRestarted(t)
		})
	}
}

func (s *liveServer) hasNotRestarted(t *testing.T) {
	t.Helper()
	pods, err := s.pods(t.Context(), s.namespace, "server")
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		if n := pod.Status.ContainerStatuses[0].RestartCount; n > 0 {
			t.Errorf("pod %s was restarted %d times", pod.Name, n)
		}
	}
}

// A pod that is starting while ko reload runs is waited for, and one that is made later
// begins with the newest version: whoever asks it gets no older one.
func TestReloadReachesEveryPod(t *testing.T) {
	s := deployServer(t, 1)
	s.kubectl(t, "", "scale", "--namespace="+s.namespace, "deployment/server", "--replicas=3")
	s.becomes(t, "two")
	eventually(t, "three pods", func(ctx context.Context) error {
		_, err := s.readyPods(ctx, s.namespace, "server", 3)
		return err
	})
	s.allSay(t, "two", 3)
	s.kubectl(t, "", "patch", "--namespace="+s.namespace, "deployment/server", "--type=merge",
		`--patch={"spec":{"template":{"metadata":{"annotations":{"edited":"yes"}}}}}`)
	old := map[string]bool{}
	eventually(t, "new pods", func(ctx context.Context) error {
		pods, err := s.pods(ctx, s.namespace, "server")
		for _, pod := range pods {
			s.noteVersion(ctx, &pod, old)
		}
		if err != nil {
			return err
		}
		ready, err := s.readyPods(ctx, s.namespace, "server", 3)
		for _, pod := range ready {
			if pod.Annotations["edited"] != "yes" {
				return fmt.Errorf("%s is an old pod", pod.Name)
			}
		}
		return err
	})
	for version := range old {
		if version != "two" {
			t.Errorf("a pod said %q", version)
		}
	}
	s.allSay(t, "two", 3)
	out, err := s.reload(t)
	if err != nil || !strings.Contains(out.stderr, ", 1 kB sent") {
		t.Errorf("the new pods have it already: error %v, %s", err, out.stderr)
	}
}

// What is deployed anew is what the code is then, though the image is that of the first
// time, and another version was sent since.
func TestApplyLiveBeginsAnew(t *testing.T) {
	s := deployServer(t, 2)
	s.becomes(t, "two")
	if err := os.Remove(filepath.Join(s.checkout, serverProgram, "version.go")); err != nil {
		t.Fatal(err)
	}
	s.allSay(t, "two", 2)
	s.ko(t, "apply", "-k", "config", "--live", "--wait")
	s.allSay(t, "image", 2)
	again := s.ko(t, "apply", "-k", "config", "--live", "--wait")
	if !strings.Contains(again.stdout, "deployment.apps/server unchanged\n") {
		t.Errorf("nothing has changed, and it says %s", again.stdout)
	}
	s.becomes(t, "three")
	s.allSay(t, "three", 2)
	s.ko(t, "apply", "-k", "config", "--wait")
	s.allSay(t, "three", 2) // It is what the code says now, in an image.
	pods, err := s.readyPods(t.Context(), s.namespace, "server", 2)
	if err != nil {
		t.Fatal(err)
	}
	if pod := pods[0].Spec; len(pod.Containers[0].Command) > 0 || len(pod.InitContainers) > 0 {
		t.Errorf("the supervisor is left: %+v", pod)
	}
}

// noteVersion takes note of what a pod answers, if it does.
func (s *liveServer) noteVersion(ctx context.Context, pod *corev1.Pod, seen map[string]bool) {
	if pod.Status.PodIP == "" {
		return
	}
	if code, got, err := get(ctx, "http://"+net.JoinHostPort(pod.Status.PodIP, "8080")); err == nil && code == 200 {
		seen[got] = true
	}
}
