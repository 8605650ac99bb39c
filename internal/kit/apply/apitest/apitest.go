//go:build apiserver

// Package apitest starts a real API server for tests, without a node: etcd,
// kube-apiserver and, for what controllers do about deletions, kube-controller-manager.
package apitest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/koshop/koshop/internal/kube"
)

// Programs names the directory of the programs, as it does for everybody who uses
// envtest; `make cluster` builds them into .cluster/bin.
const Programs = "KUBEBUILDER_ASSETS"

// config is that of the server of this test program, or nil where there is none.
var config *rest.Config

// kubeconfig is a file with the same.
var kubeconfig string

// Main runs tests, with an API server if its programs are there.
func Main(m *testing.M) int {
	if os.Getenv(Programs) == "" {
		return m.Run()
	}
	server := &envtest.Environment{ControlPlaneStartTimeout: 5 * time.Minute, ControlPlaneStopTimeout: time.Minute}
	started, err := server.Start()
	if err != nil {
		fmt.Fprintf(os.Stderr, "starting an API server by the programs in %s=%s: %v\n", Programs, os.Getenv(Programs), err)
		return 1
	}
	defer server.Stop()
	config = started
	dir, err := os.MkdirTemp("", "apitest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	kubeconfig = filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, server.KubeConfig, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop, err := startControllers()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// Cluster returns the cluster of the API server.
func Cluster(t testing.TB) *kube.Cluster {
	t.Helper()
	if config == nil {
		t.Skipf("skipping what takes a real API server: %s does not name the directory of its programs, such as .cluster/bin after make cluster", Programs)
	}
	c, err := kube.New(config, "default", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Kubectl runs the real kubectl against the API server, with text as its input.
func Kubectl(t testing.TB, text string, args ...string) {
	t.Helper()
	if out, err := TryKubectl(text, args...); err != nil {
		t.Fatalf("kubectl %q: %v\n%s", args, err, out)
	}
}

// TryKubectl does what [Kubectl] does, and returns what it prints.
func TryKubectl(text string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(os.Getenv(Programs), "kubectl"), append([]string{"--kubeconfig=" + kubeconfig}, args...)...)
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// As returns the same cluster for a user who has no permission but those that every
// user has, and those that a test gives.
func As(t testing.TB, user string) *kube.Cluster {
	t.Helper()
	Cluster(t)
	other := rest.CopyConfig(config)
	other.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:authenticated"}}
	c, err := kube.New(other, "default", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// startControllers starts those that delete what nobody owns any more and what is in
// a namespace, and those that make pods.
func startControllers() (stop func(), err error) {
	cmd := exec.Command(filepath.Join(os.Getenv(Programs), "kube-controller-manager"),
		"--kubeconfig="+kubeconfig, "--leader-elect=false", "--secure-port=0", "--concurrent-gc-syncs=5",
		"--controllers=garbage-collector-controller,namespace-controller,persistentvolumeclaim-protection-controller,deployment-controller,replicaset-controller,statefulset-controller,job-controller")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting kube-controller-manager: %w", err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}
