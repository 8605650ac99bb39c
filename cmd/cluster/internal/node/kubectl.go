package node

import (
	"context"
	"fmt"
	"strings"
)

// kubectl runs the cluster's own kubectl as its administrator.
func (n *Node) kubectl(ctx context.Context, input string, args ...string) error {
	args = append([]string{"--kubeconfig=" + n.pki("admin.kubeconfig"), "--cache-dir=" + n.path("run", "kubectl")}, args...)
	_, err := run(ctx, input, n.binary("kubectl"), args...)
	return err
}

// apply applies the manifests, filled with values.
func (n *Node) apply(ctx context.Context, values settings, manifests ...string) error {
	var documents []string
	for _, manifest := range manifests {
		text, err := render(manifest, values)
		if err != nil {
			return err
		}
		documents = append(documents, string(text))
	}
	return n.kubectl(ctx, strings.Join(documents, "\n---\n"), "apply", "--server-side", "--force-conflicts", "-f", "-")
}

// waitOnce asks kubectl to wait for a moment only: the caller looks after the programs in between.
const waitOnce = "--timeout=1s"

// nodeReady asks the kubelet too: the API server goes on calling a node ready for most of
// a minute after its kubelet has ended.
func (n *Node) nodeReady(ctx context.Context) error {
	if err := n.answers(ctx, "http://127.0.0.1:10248/healthz"); err != nil {
		return err
	}
	return n.kubectl(ctx, "", "wait", "--for=condition=Ready", fmt.Sprintf("node/%s", name), waitOnce)
}

func (n *Node) dnsReady(ctx context.Context) error {
	return n.kubectl(ctx, "", "--namespace=kube-system", "rollout", "status", "deployment/coredns", waitOnce)
}
