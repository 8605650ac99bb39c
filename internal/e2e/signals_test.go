//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// settings are twenty ConfigMaps that hold a version.
func settings(version string) string {
	var manifests []string
	for n := range 20 {
		manifests = append(manifests, configMap(fmt.Sprintf("c%02d", n), "NS", version))
	}
	return strings.Join(manifests, "---\n")
}

// running is a ko that is sent signals.
type running struct {
	namespace, dir string
	cmd            *exec.Cmd
	stderr         *safeBuffer
}

// startApply starts `ko apply` of manifests, in which NS stands for the namespace.
func startApply(t *testing.T, namespace, manifests string, flags ...string) *running {
	t.Helper()
	r := &running{namespace: namespace, dir: manifestsIn(t, namespace, manifests), stderr: &safeBuffer{}}
	r.cmd = exec.Command(koPath(t), onCluster(append([]string{"apply", "-k", r.dir}, flags...)...)...)
	r.cmd.Dir, r.cmd.Stderr = repository, r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); t.Logf("ko said\n%s", r.stderr) })
	return r
}

// interruptApply sends a signal to an apply of another version, on a slow link, that
// has changed a part of the ConfigMaps.
func (c *cluster) interruptApply(t *testing.T, with syscall.Signal) *running {
	t.Helper()
	namespace := c.newNamespace(t)
	half, _, _ := strings.Cut(settings("old"), "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c10")
	if _, err := applyAndWait(t, namespace, half); err != nil {
		t.Fatal(err)
	}
	r := startApply(t, namespace, settings("new"), "--kubeconfig="+farAway(t, 100*time.Millisecond))
	eventually(t, "some are changed", func(context.Context) error {
		if found := c.versions(t, namespace); found["c04"] != "new" {
			return fmt.Errorf("there are %v", found)
		}
		return nil
	})
	r.signal(t, with)
	return r
}

func (r *running) signal(t *testing.T, with syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(with); err != nil {
		t.Fatal(err)
	}
}

// signalMore sends more signals, each when the one before has been answered.
func (r *running) signalMore(t *testing.T, with syscall.Signal, more int) {
	t.Helper()
	for n := range more {
		r.says(t, []string{"undoing", "a second signal leaves it half done"}[n])
		r.signal(t, with)
	}
}

// says waits until ko has printed something.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "it says "+text, func(context.Context) error {
		if !strings.Contains(r.stderr.String(), text) {
			return fmt.Errorf("it says %s", r.stderr)
		}
		return nil
	})
}

// versions returns what the ConfigMaps of a namespace hold.
func (c *cluster) versions(t *testing.T, namespace string) map[string]string {
	t.Helper()
	list, err := c.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, item := range list.Items {
		if item.Name != "kube-root-ca.crt" {
			versions[item.Name] = item.Data["value"]
		}
	}
	return versions
}

// unlike returns which ConfigMaps are not as they were before the interrupted apply.
func (c *cluster) unlike(t *testing.T, r *running) []string {
	t.Helper()
	var names []string
	versions := c.versions(t, r.namespace)
	for n := range 20 {
		name, want := fmt.Sprintf("c%02d", n), ""
		if n < 10 {
			want = "old"
		}
		if versions[name] != want {
			names = append(names, name)
		}
	}
	return names
}

// A signal undoes what was changed. While it is undone, one is answered, and another
// ends it and says what is left.
func TestSignalsDuringApply(t *testing.T) {
	c := connect(t)
	for _, with := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for more, want := range []string{"the cluster is as it was", "the cluster is as it was", "was stopped by a second signal"} {
			t.Run(fmt.Sprintf("%s and %d more", with, more), func(t *testing.T) {
				t.Parallel()
				if signal.Ignored(with) {
					t.Skip("the tests run under nohup, and so does ko")
				}
				r := c.interruptApply(t, with)
				r.signalMore(t, with, more)
				if err := r.cmd.Wait(); err == nil || !strings.Contains(r.stderr.String(), want) {
					t.Errorf("error %v, and it does not say %q", err, want)
				}
				left := c.unlike(t, r)
				if more < 2 && len(left) > 0 || more == 2 && len(left) == 0 {
					t.Errorf("not as they were: %q", left)
				}
				for _, name := range left {
					if !strings.Contains(r.stderr.String(), "configmap/"+name+" in namespace "+r.namespace+" is not as it was") {
						t.Errorf("it does not say that %s is not as it was", name)
					}
				}
			})
		}
	}
}

// An object that is on its way out, to be made anew, is made again once it is gone. One
// that does not go is named, with what holds it.
func TestSignalsDuringReplace(t *testing.T) {
	c := connect(t)
	for name, test := range map[string]struct {
		manifests, object string // VERSION stands for what cannot be changed
		more              int
		want              string
	}{
		"pods that end slowly": {
			strings.ReplaceAll(deployment("web", pod(act("-slow=6s", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}"))), "1, containers", "20, containers"), "deployment/web", 0, "the cluster is as it was",
		},
		"a finalizer": {
			`{apiVersion: v1, kind: ConfigMap, metadata: {name: fixed, finalizers: [example.com/hold]}, immutable: true, data: {value: "app: web"}}`, "configmap/fixed", 2,
			"is not as it was: it is being deleted, held by its finalizer example.com/hold",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := c.newNamespace(t)
			version := func(v string) string { return strings.ReplaceAll(test.manifests, "app: web", "app: web-"+v) }
			if _, err := applyAndWait(t, namespace, version("old"), "--wait"); err != nil {
				t.Fatal(err)
			}
			r := startApply(t, namespace, version("new"), "--replace")
			r.says(t, "to be made anew")
			time.Sleep(time.Second) // It is being deleted by now.
			r.signal(t, syscall.SIGINT)
			r.signalMore(t, syscall.SIGINT, test.more)
			if err := r.cmd.Wait(); err == nil || !strings.Contains(r.stderr.String(), test.want) {
				t.Errorf("error %v, and it does not say %q", err, test.want)
			}
			live, err := run(t, "", "", "kubectl", onCluster("get", test.object, "--namespace="+namespace, "-o=yaml")...)
			if err != nil || !strings.Contains(live.stdout, "web-old") || (test.more == 0) == strings.Contains(live.stdout, "deletionTimestamp") {
				t.Errorf("error %v, there is\n%s", err, live.stdout)
			}
			_, _ = run(t, "", "", "kubectl", onCluster("patch", test.object, "--namespace="+namespace, "--type=merge", "--patch={\"metadata\":{\"finalizers\":null}}")...)
		})
	}
}

// Killed, it undoes nothing; the same command then does the rest.
func TestApplyAfterKill(t *testing.T) {
	t.Parallel()
	c := connect(t)
	r := c.interruptApply(t, syscall.SIGKILL)
	_ = r.cmd.Wait()
	for _, want := range []int{1, 0} { // whether it changes anything
		out, err := runKo(t, repository, onCluster("apply", "-k", r.dir)...)
		changes := strings.Count(out.stdout, " configured") + strings.Count(out.stdout, " created")
		if err != nil || min(changes, 1) != want {
			t.Errorf("error %v, it changed %d, stderr %s", err, changes, out.stderr)
		}
	}
	for name, version := range c.versions(t, r.namespace) {
		if version != "new" {
			t.Errorf("%s holds %q", name, version)
		}
	}
}
