//go:build e2e

package e2e

import (
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

// newman is the program that runs collections of Postman from a command line,
// in the version that docs/workshop/postman.md names.
const newman = "newman@6.2.2"

// runCollection runs the workshop's collection on a shop and returns what newman
// printed. A test of the collection that fails is an error.
func runCollection(t *testing.T, url func(service string) string, expectDuplicate string) (string, error) {
	t.Helper()
	args := []string{"--yes", newman, "run", "docs/workshop/koshop.postman_collection.json",
		"--color=off", "--reporter-cli-no-banner", "--reporter-cli-no-success-assertions", "--env-var", "expectDuplicate=" + expectDuplicate}
	for variable, service := range map[string]string{
		"userUrl": "user-svc", "productUrl": "product-svc", "ordersUrl": "orders-svc", "paymentsUrl": "payments-svc", "gatewayUrl": "api-gateway",
	} {
		args = append(args, "--env-var", variable+"="+url(service))
	}
	cmd := exec.CommandContext(t.Context(), "npx", args...)
	cmd.Dir = repository
	printed, err := cmd.CombinedOutput()
	return string(printed), err
}

// needNpx looks for what comes with Node.js and fetches newman.
func needNpx(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("npx"); err != nil {
		t.Skip("npx is not on PATH: the Postman collection is not run; install Node.js 18 or newer, Debian's packages nodejs and npm")
	}
}

// collectionPasses runs the collection on the shop in a namespace.
func (c *cluster) collectionPasses(t *testing.T, namespace, expectDuplicate string) {
	t.Helper()
	urls := map[string]string{}
	for _, service := range services {
		urls[service] = c.forward(t, namespace, service)
	}
	printed, err := runCollection(t, func(service string) string { return urls[service] }, expectDuplicate)
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, printed, c.shopLogs(t, namespace))
	}
}

// The collection runs from top to bottom, and again.
func TestCollectionOnTheCluster(t *testing.T) {
	needNpx(t)
	c := connect(t)
	namespace := "e2e-postman"
	c.claimNamespace(t, namespace)
	mustKo(t, onCluster("apply", "-k", overlayIn(t, "kustomize/overlays/dev", namespace, ""), "--wait")...)
	for range 2 {
		c.collectionPasses(t, namespace, "refused")
	}
}

// The same without a cluster. A collection that expects the flaw of the
// workshop's exercise fails where the flaw is not, and nowhere else.
func TestCollectionOnALaptop(t *testing.T) {
	needNpx(t)
	resolveLocalhost()
	l := startUp(t, repository, t.TempDir())
	if printed, err := runCollection(t, l.url, "refused"); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	printed, err := runCollection(t, l.url, "accepted")
	if err == nil {
		t.Error("it takes a refused payment for an accepted one")
	}
	var failed []string
	for _, match := range regexp.MustCompile(`inside "(.*)"`).FindAllStringSubmatch(printed, -1) {
		failed = append(failed, match[1])
	}
	if want := []string{"The duplicate payment / Pay again", "payments-svc / Pay directly again"}; !slices.Equal(failed, want) {
		t.Errorf("%q fail, want %q\n%s", failed, want, printed)
	}
}
