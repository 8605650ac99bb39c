//go:build cluster

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLifeOfACluster takes a real cluster up and down on this machine, as root. The
// directory named by CLUSTER_DIR is used and emptied, but for what was built there:
//
//	CLUSTER_DIR=/tmp/cluster go test -tags cluster -timeout 30m .
func TestLifeOfACluster(t *testing.T) {
	dir := os.Getenv("CLUSTER_DIR")
	if dir == "" {
		t.Fatal("CLUSTER_DIR is not set: it names the directory for the cluster of this test")
	}
	c := cluster{t, dir}
	t.Cleanup(func() { // t.Context() has ended by now
		if err := run(context.Background(), []string{"down", "--dir", dir}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(c.logEvents) // before the one above
	before := snapshot(t)

	c.do("up")
	c.runPod("first")
	if took := c.do("up"); took > 5*time.Second {
		t.Errorf("up on a cluster that is up took %v", took)
	}

	c.kill("kubelet", "kube-apiserver", "containerd", "registry")
	c.do("up")
	c.runPod("second")
	c.kubectl("", "get", "pod", "first") // nothing was lost

	c.do("down")
	c.compare(before)
	c.do("down") // nothing to do is a success

	c.do("up")
	c.runPod("third")
	c.do("down")
	c.compare(before)
}

type cluster struct {
	*testing.T
	dir string
}

func (c cluster) do(command string) time.Duration {
	c.Helper()
	start := time.Now()
	if err := run(c.Context(), []string{command, "--dir", c.dir}); err != nil {
		c.Fatalf("%s: %v", command, err)
	}
	return time.Since(start)
}

func (c cluster) kubectl(input string, args ...string) {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), filepath.Join(c.dir, "bin", "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(c.dir, "kubeconfig"), "KUBECACHEDIR="+c.TempDir())
	cmd.Stdin = strings.NewReader(input)
	if output, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("%s: %v\n%s", cmd, err, output)
	}
}

// logEvents says what the cluster has to say about a failure.
func (c cluster) logEvents() {
	kubeconfig := filepath.Join(c.dir, "kubeconfig")
	if _, err := os.Stat(kubeconfig); err == nil && c.Failed() {
		cmd := exec.Command(filepath.Join(c.dir, "bin", "kubectl"), "--kubeconfig", kubeconfig, "get", "events")
		output, err := cmd.CombinedOutput()
		c.Logf("%s: %v\n%s", cmd, err, output)
	}
}

// pod is ready when it reaches the API server by its name, so by DNS and the service
// network, writes as its own user to a volume of the default storage class, and does
// not get out of the machine by the address of a Service that is not there.
const pod = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  securityContext: {runAsUser: 999, fsGroup: 999}
  containers:
  - name: main
    image: postgres:15
    command: [sleep, infinity]
    readinessProbe:
      exec: {command: [sh, -c, "touch /data/here && nc -w 2 kubernetes.default 443 </dev/null && ! nc -w 2 10.96.77.77 80 </dev/null"]}
      periodSeconds: 1
      timeoutSeconds: 5
    volumeMounts: [{name: data, mountPath: /data}]
  volumes:
  - {name: data, persistentVolumeClaim: {claimName: NAME}}
`

func (c cluster) runPod(name string) {
	c.Helper()
	c.kubectl(strings.ReplaceAll(pod, "NAME", name), "apply", "-f", "-")
	c.kubectl("", "wait", "--for=condition=Ready", "pod/"+name, "--timeout=60s")
	c.kubectl("", "exec", name, "--", "true")
	c.kubectl("", "logs", name)
}

var pidNumber = regexp.MustCompile(`"pid":(\d+)`)

func (c cluster) kill(programs ...string) {
	c.Helper()
	for _, program := range programs {
		data, err := os.ReadFile(filepath.Join(c.dir, "run", program+".pid"))
		if err != nil {
			c.Fatal(err)
		}
		pid, err := strconv.Atoi(string(pidNumber.FindSubmatch(data)[1]))
		if err != nil {
			c.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			c.Fatal(err)
		}
		for syscall.Kill(pid, 0) == nil { // -timeout bounds it
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// machine is what a cluster may not change for good, by what it is.
type machine map[string][]string

// snapshotCommands list it, a line each.
var snapshotCommands = map[string]string{
	"processes":  `ps -eo args= | grep -E 'containerd|kube|etcd|/pause|coredns|/registry |provisioner|network-policies' | grep -v grep`,
	"mounts":     `cut -d' ' -f5 /proc/self/mountinfo`,
	"interfaces": `ip -brief link | cut -d' ' -f1`,
	"routes":     `ip route`,
	"iptables":   `iptables-save | grep -E '^(-A|:(KUBE|CNI|KOSHOP)-)'`,
	"ip6tables":  `ip6tables-save | grep -E '^(-A|:(KUBE|CNI|KOSHOP)-)'`,
	"nftables":   `nft list tables inet`, // those of iptables are of other families
	"cgroups":    `find /sys/fs/cgroup -type d -name '*kubepods*'`,
	"files":      `find /run /etc /opt /var/lib /usr/libexec -xdev -maxdepth 3 -not -path '/var/lib/apt/*'; find /var/log -maxdepth 1`,
	"sysctls":    `sysctl net.ipv4.ip_forward net.ipv4.conf.all net.bridge vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys net.netfilter.nf_conntrack_max`,
	"netns":      `ls /run/netns 2>/dev/null`,
}

func snapshot(t *testing.T) machine {
	t.Helper()
	m := machine{}
	for what, command := range snapshotCommands {
		var output bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "{ "+command+"; } | sort; true")
		cmd.Stdout = &output
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		m[what] = strings.Split(strings.TrimSpace(output.String()), "\n")
	}
	return m
}

// compare names every line that came or went.
func (c cluster) compare(before machine) {
	c.Helper()
	now := snapshot(c.T)
	for what := range snapshotCommands {
		for _, line := range now[what] {
			if !slices.Contains(before[what], line) {
				c.Errorf("%s: left behind: %s", what, line)
			}
		}
		for _, line := range before[what] {
			if !slices.Contains(now[what], line) {
				c.Errorf("%s: gone: %s", what, line)
			}
		}
	}
}
