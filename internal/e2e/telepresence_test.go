//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/uuid"
	"golang.org/x/mod/semver"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/flow"
)

// Namespaces of the tests' own: every name of the shop's is the only one of its
// kind on this machine while telepresence is connected.
const (
	interceptedShop = "e2e-telepresence"
	trafficManager  = "e2e-traffic-manager"
)

// noTelepresence says why there are no intercepts on this machine, or "": the real
// program is not there, or is older than a version, or its image is not in the
// registry, where no package manager has them. The image has, beside the program
// traffic, what the manifests of Telepresence run in it: stat, sh and curl.
func noTelepresence(t *testing.T, oldest string) string {
	t.Helper()
	version, err := telepresence.Version(t.Context())
	if err != nil {
		return err.Error()
	}
	if semver.Compare("v"+version, "v"+oldest) < 0 {
		return fmt.Sprintf("telepresence %s is older than %s", version, oldest)
	}
	image, err := name.ParseReference(os.Getenv("KO_DOCKER_REPO") + "/tel2:" + version)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(image); err != nil {
		return fmt.Sprintf("the traffic image %s is not in the registry", image)
	}
	return ""
}

// installManager gives the cluster a traffic manager for the time of the test. It
// looks after the namespaces only, or after all if none is named.
func installManager(t *testing.T, namespace string, namespaces ...string) {
	t.Helper()
	t.Setenv("SCOUT_DISABLE", "1") // Nobody is told of a test, before 2.31.
	version, err := telepresence.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if connected(t) {
		t.Fatal("the test needs telepresence for itself, and it is connected: run telepresence quit")
	}
	connect(t).claimNamespace(t, namespace)
	args := onCluster("helm", "install", "--namespace="+namespace, "--values="+repository+"/docs/workshop/telepresence.yaml")
	for _, value := range managerValues(version, namespaces) {
		args = append(args, "--set="+value)
	}
	mustTelepresence(t, args...)
	t.Cleanup(func() {
		mustTelepresence(t, onCluster("helm", "uninstall", "--manager-namespace="+namespace)...)
	})
}

// managerValues are those of a manager whose image is in the registry. Between 2.20
// and 2.31 their names have changed, and values of other names are refused.
func managerValues(version string, namespaces []string) []string {
	older := semver.Compare("v"+version, "v2.31") < 0
	images := map[string]string{"image": "name", "agent.image": "name", "hooks.curl": "image"}
	var values []string
	if older {
		values = append(values, "metritonEnabled=false")
	} else {
		images["hooks.busybox"] = "image"
	}
	for image, name := range images {
		values = append(values, fmt.Sprintf("%[1]s.registry=%[3]s,%[1]s.%[2]s=tel2,%[1]s.tag=%[4]s", image, name, os.Getenv("KO_DOCKER_REPO"), version))
	}
	switch list := "{" + strings.Join(namespaces, ",") + "}"; {
	case len(namespaces) == 0:
	case older:
		values = append(values, "managerRbac.namespaced=true", "managerRbac.namespaces="+list)
	default:
		values = append(values, "namespaces="+list)
	}
	return values
}

// connectTelepresence leads this machine into the shop's namespace until the
// test ends, or before by the function.
func connectTelepresence(t *testing.T) (quit func()) {
	t.Helper()
	quit = func() { mustTelepresence(t, "quit", "--stop-daemons") }
	t.Cleanup(quit)
	mustTelepresence(t, onCluster("connect", "--namespace="+interceptedShop, "--manager-namespace="+trafficManager)...)
	return quit
}

// connected asks telepresence whether there is a connection.
func connected(t *testing.T) bool {
	t.Helper()
	return strings.Contains(mustTelepresence(t, "status"), ": Connected")
}

// mustTelepresence returns what a command that must succeed prints.
func mustTelepresence(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("telepresence", args...).Output() // It runs in clean-up, too.
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		t.Fatalf("telepresence %q: %v\n%s%s", args, err, out, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// With the real Telepresence, on a shop and with a traffic manager of its own.
func TestTelepresence(t *testing.T) {
	if reason := noTelepresence(t, ""); reason != "" {
		t.Skipf("intercepts are not tested: %s", reason)
	}
	c := connect(t)
	c.claimNamespace(t, interceptedShop)
	mustKo(t, onCluster("apply", "-k", overlayIn(t, "kustomize/overlays/dev", interceptedShop, ""), "--wait")...)
	installManager(t, trafficManager, trafficManager, interceptedShop)
	t.Run("the names of the cluster", testNames)
	connectTelepresence(t)
	t.Run("every end of make intercept", testInterceptEnds)
	t.Run("what is in the way of make intercept", func(t *testing.T) { testInterceptObstacles(t, c) })
}

// While it is connected, this machine finds the shop by the names that the
// shop's own pods use, and afterwards it does not.
func testNames(t *testing.T) {
	quit := connectTelepresence(t)
	for _, shop := range []flow.Shop{
		{Gateway: "http://api-gateway", Users: "http://user-svc"},
		{Gateway: "http://api-gateway." + interceptedShop, Users: "http://user-svc." + interceptedShop},
	} {
		if _, err := shop.Walk(t.Context(), uuid.NewString()+"@example.com"); err != nil {
			t.Errorf("%s: %v", shop.Gateway, err)
		}
	}
	quit()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if status, _, err := get(t.Context(), "http://api-gateway."+interceptedShop+"/healthz"); err == nil {
		t.Errorf("the name resolves without telepresence, status %d", status)
	}
}
