//go:build e2e

package e2e

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// advertised returns the registry that the cluster advertises for pushing, as KEP-1755
// has it, or "".
func (c *cluster) advertised(t testing.TB) string {
	t.Helper()
	found, err := c.CoreV1().ConfigMaps("kube-public").Get(t.Context(), "local-registry-hosting", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	var said struct{ Host string }
	if err == nil {
		err = yaml.Unmarshal([]byte(found.Data["localRegistryHosting.v1"]), &said)
	}
	if err != nil {
		t.Fatal(err)
	}
	return said.Host
}

// Without KO_DOCKER_REPO, `ko apply -k` uses the registry that the cluster advertises,
// and its nodes pull from there.
func TestRegistryThatTheClusterAdvertises(t *testing.T) {
	c := connect(t)
	host := c.advertised(t)
	if _, err := c.CoreV1().Nodes().Get(t.Context(), "koshop", metav1.GetOptions{}); host == "" && err != nil {
		t.Skip("this cluster advertises no registry")
	}
	if host == "" {
		t.Fatal("the local node advertises no registry: `make cluster` begins with that, so it was started by another version")
	}
	kittest.Unset(t, "KO_DOCKER_REPO")
	namespace := c.newNamespace(t)
	overlay := overlayIn(t, "kustomize/overlays/dev", namespace, "")
	out, err := runKo(t, repository, onCluster("apply", "-k", overlay, "--selector=app.kubernetes.io/name=product-svc", "--wait")...)
	if err != nil {
		t.Fatal(err)
	}
	if line := "KO_DOCKER_REPO is not set: images are pushed to " + host + ", which "; strings.Count(out.stderr, line) != 1 {
		t.Errorf("it does not say once %q", line)
	}
	pods, err := c.readyPods(t.Context(), namespace, "product-svc", 1)
	if err != nil {
		t.Fatal(err)
	}
	if image := pods[0].Spec.Containers[0].Image; !strings.HasPrefix(image, host+"/product-svc@") {
		t.Errorf("the pod runs %s, which is not from %s", image, host)
	}
}
