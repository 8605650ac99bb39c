//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/workshop/flow"
)

// Namespaces of the tests' own: every name of the shop's is the only one of its
// kind on this machine while telepresence is connected.
const (
	interceptedShop = "e2e-telepresence"
	trafficManager  = "e2e-traffic-manager"
)

// installTelepresence deploys the overlay dev and a traffic manager that looks
// after it and nothing else. It skips the test without the real program, or
// without its image in the registry, where no package manager has them. The
// image has, beside the program traffic, what the manifests of Telepresence run
// in it: stat, sh and curl.
func installTelepresence(t *testing.T, c *cluster) {
	t.Helper()
	if _, err := exec.LookPath("telepresence"); err != nil {
		t.Skip("telepresence is not on PATH: intercepts are not tested")
	}
	t.Setenv("SCOUT_DISABLE", "1") // Nobody is told of a test.
	version := regexp.MustCompile(`Client *: v(\S+)`).FindStringSubmatch(mustTelepresence(t, "version"))
	if version == nil {
		t.Fatal("telepresence does not say which version it is")
	}
	registry := os.Getenv("KO_DOCKER_REPO")
	image, err := name.ParseReference(registry + "/tel2:" + version[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(image); err != nil {
		t.Skipf("the traffic image %s is not in the registry: intercepts are not tested", image)
	}
	if connected(t) {
		t.Fatal("the test needs telepresence for itself, and it is connected: run telepresence quit")
	}
	c.claimNamespace(t, interceptedShop)
	c.claimNamespace(t, trafficManager)
	mustKo(t, onCluster("apply", "-k", overlayIn(t, "kustomize/overlays/dev", interceptedShop, ""), "--wait")...)
	where := "image.registry=%[1]s,image.name=tel2,image.tag=%[2]s"
	hook := "hooks.curl.registry=%[1]s,hooks.curl.image=tel2,hooks.curl.tag=%[2]s"
	images := fmt.Sprintf(where+",agent."+where+","+hook, registry, version[1])
	namespaces := "managerRbac.namespaced=true,managerRbac.namespaces={" + trafficManager + "," + interceptedShop + "}"
	mustTelepresence(t, onCluster("helm", "install", "--namespace="+trafficManager, "--set="+images, "--set="+namespaces,
		"--set=agentInjector.webhook.port=8443")...) // The program has not the right to listen on 443.
	t.Cleanup(func() {
		mustTelepresence(t, onCluster("helm", "uninstall", "--manager-namespace="+trafficManager)...)
	})
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
	c := connect(t)
	installTelepresence(t, c)
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
