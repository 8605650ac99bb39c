//go:build apiserver

package registry_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/registry"
	"github.com/koshop/koshop/internal/kube"
)

func TestMain(m *testing.M) { os.Exit(apitest.Main(m)) }

// advertisement is how `make cluster` advertises its registry.
const advertisement = "../../../cmd/cluster/internal/node/manifests/registry.yaml"

// What the local node has is found by every user that it names, and until then the
// error says what is missing.
func TestFindOnAnAPIServer(t *testing.T) {
	c := apitest.Cluster(t)
	stranger := strangerTo(t, c)
	if _, err := registry.Find(t.Context(), c); err == nil || !strings.Contains(err.Error(), " has no ConfigMap") {
		t.Errorf("before it is there: %v", err)
	}
	if _, err := registry.Find(t.Context(), stranger); err == nil || !strings.Contains(err.Error(), "forbids it: ") {
		t.Errorf("without the right: %v", err)
	}
	text, err := os.ReadFile(advertisement)
	if err != nil {
		t.Fatal(err)
	}
	apitest.Kubectl(t, strings.ReplaceAll(string(text), "{{.Registry}}", "localhost:5001"), "apply", "--server-side", "-f", "-")
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if _, err := registry.Find(t.Context(), stranger); err == nil {
			break // The API server has read the new right.
		}
	}
	for name, each := range map[string]*kube.Cluster{"an administrator": c, "somebody": stranger} {
		got, err := registry.Find(t.Context(), each)
		if err != nil || got.Host != "localhost:5001" || got.Runtime != "localhost:5001" || got.Help == "" {
			t.Errorf("%s finds %+v, error %v", name, got, err)
		}
	}
}

// strangerTo returns the cluster for a user that no rule names.
func strangerTo(t *testing.T, c *kube.Cluster) *kube.Cluster {
	t.Helper()
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "ada", Groups: []string{"system:authenticated"}}
	stranger, err := kube.New(config, "default", kube.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	return stranger
}
