package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/koshop/koshop/cmd/cluster/internal/daemon"
	"github.com/koshop/koshop/cmd/cluster/internal/host"
)

const (
	readyLimit  = 2 * time.Minute
	answerLimit = 2 * time.Second
)

// Up brings the node up, or back up, from whatever state it is in.
func (n *Node) Up(ctx context.Context) (err error) {
	start := time.Now()
	if err := checkMachine(); err != nil {
		return err
	}
	if err := n.findAddress(); err != nil {
		return err
	}
	if err := n.claim(); err != nil {
		return err
	}
	release, err := n.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if n.healthy(ctx) {
		n.say("the cluster is up already")
		n.sayNext()
		return nil
	}
	for _, dir := range []string{n.RunDir, n.LogDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for _, phase := range []func(context.Context) error{n.prepareMachine, n.build, n.startControlPlane, n.startWorkers, n.awaitReady} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	if err := n.writeEnvironment(); err != nil {
		return err
	}
	n.say("the cluster is up, after %.0fs", time.Since(start).Seconds())
	n.sayNext()
	return nil
}

func (n *Node) sayNext() {
	n.say("to use it:\n  . %s\n  kubectl get nodes", n.path("env"))
}

// prepareMachine comes before the build: what is in the way shows at once.
func (n *Node) prepareMachine(ctx context.Context) error {
	_, found, err := n.readBaseline()
	if err != nil {
		return err
	}
	if !found {
		if err := n.checkFree(); err != nil {
			return err
		}
	}
	for _, module := range []string{"overlay", "br_netfilter"} {
		// Built into many kernels, where modprobe has nothing to load; what is missing fails below, by name.
		if _, err := run(ctx, "", "modprobe", module); err != nil && !errors.Is(err, exec.ErrNotFound) {
			n.say("modprobe %s did not succeed, which is fine where it is built in", module)
		}
	}
	if err := n.recordBaseline(ctx); err != nil {
		return err
	}
	if err := n.fenceServices(ctx); err != nil {
		return err
	}
	n.queueConnections(ctx)
	return host.Sysctls{
		"net/ipv4/ip_forward": "1",
		// Without it an answer from a pod to a pod of the same bridge passes by the Service's translation.
		"net/bridge/bridge-nf-call-iptables": "1",
	}.Apply()
}

func (n *Node) startControlPlane(ctx context.Context) error {
	return n.step("starting the registry, etcd and the API server", func() error {
		if err := n.issueCredentials(); err != nil {
			return err
		}
		programs := n.controlPlane()
		if err := n.ensure(ctx, programs); err != nil {
			return err
		}
		return n.await(ctx, readyLimit, programs, func(ctx context.Context) error {
			if err := n.answers(ctx, "http://"+n.registry()+"/v2/"); err != nil {
				return err
			}
			return n.answers(ctx, "https://"+n.address+":"+apiPort+"/readyz")
		})
	})
}

func (n *Node) startWorkers(ctx context.Context) error {
	var pushed images
	err := n.step("pushing the node's images", func() (err error) {
		pushed, err = n.pushImages(ctx)
		return err
	})
	if err != nil {
		return err
	}
	values, err := n.settings(pushed)
	if err != nil {
		return err
	}
	if err := n.configure(values); err != nil {
		return err
	}
	err = n.step("starting containerd", func() error {
		programs := []daemon.Program{n.containerd()}
		if err := n.ensure(ctx, programs); err != nil {
			return err
		}
		// A kubelet that finds no container runtime ends.
		return n.await(ctx, readyLimit, programs, n.containerdAnswers)
	})
	if err != nil {
		return err
	}
	return n.step("starting kubelet and the rest", func() error {
		if err := n.ensure(ctx, n.workers()); err != nil {
			return err
		}
		return n.apply(ctx, values, "manifests/registry.yaml", "manifests/storage.yaml", "manifests/policies.yaml", "manifests/coredns.yaml")
	})
}

func (n *Node) awaitReady(ctx context.Context) error {
	for _, wait := range []struct {
		what  string
		check func(context.Context) error
	}{
		{"waiting for the node", n.nodeReady},
		{"waiting for DNS", n.dnsReady},
	} {
		err := n.step(wait.what, func() error { return n.await(ctx, readyLimit, n.programs(), wait.check) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) ensure(ctx context.Context, programs []daemon.Program) error {
	for _, p := range programs {
		if _, err := n.Ensure(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// healthy reports whether everything runs as it would be started now, and works.
func (n *Node) healthy(ctx context.Context) bool {
	if !n.built() {
		return false
	}
	for _, p := range n.programs() {
		if !n.Current(p) {
			return false
		}
	}
	for _, check := range []func(context.Context) error{n.nodeReady, n.dnsReady} {
		if check(ctx) != nil {
			return false
		}
	}
	return n.answers(ctx, "http://"+n.registry()+"/v2/") == nil
}

// containerdAnswers asks what the kubelet asks first, and ends over: containerd
// listens before it can answer that.
func (n *Node) containerdAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	connection, err := grpc.NewClient("unix://"+n.containerdSocket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = cri.NewRuntimeServiceClient(connection).Version(ctx, &cri.VersionRequest{})
	return err
}

// answers asks the URL and wants 200.
func (n *Node) answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	authority, err := os.ReadFile(n.pki("ca.crt"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
