package shop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/koshop/koshop"

// services are the commands of the shop.
var services = []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "payments-starter", "api-gateway", "postgres-secret"}

// dependencies lists all packages that the patterns need, theirs included.
func dependencies(t *testing.T, patterns ...string) []string {
	t.Helper()
	args := append([]string{"list", "-deps", "-e", "-f", "{{.ImportPath}}"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 { // -e is silent about a pattern that matches nothing
		t.Fatalf("go list found %d packages only", len(packages))
	}
	return packages
}

func forbid(t *testing.T, needed []string, prefixes ...string) {
	t.Helper()
	for _, pkg := range needed {
		for _, prefix := range prefixes {
			if pkg == prefix || strings.HasPrefix(pkg, prefix+"/") {
				t.Errorf("%s must not be imported here, not even indirectly", pkg)
			}
		}
	}
}

func TestShopDoesNotNeedTheKit(t *testing.T) {
	patterns := []string{module + "/internal/shop/..."}
	for _, svc := range services {
		patterns = append(patterns, module+"/cmd/"+svc)
	}
	forbid(t, dependencies(t, patterns...), module+"/internal/kit", module+"/internal/workshop", "github.com/google/ko", "sigs.k8s.io", "k8s.io")
}

// TestWorkshopNeedsOnlyTheContract keeps its checks those of a customer: any
// implementation of the contract passes them.
func TestWorkshopNeedsOnlyTheContract(t *testing.T) {
	forbid(t, dependencies(t, module+"/cmd/workshop"), module+"/internal/shop")
}

func TestKitDoesNotNeedTheShop(t *testing.T) {
	var patterns []string
	for _, dir := range []string{"internal/kit", "cmd/ko"} {
		if _, err := os.Stat(filepath.Join("..", "..", dir)); err == nil {
			patterns = append(patterns, module+"/"+dir+"/...")
		}
	}
	if len(patterns) == 0 {
		t.Skip("there is no kit in this tree")
	}
	forbid(t, dependencies(t, patterns...), module+"/internal/shop", module+"/internal/workshop")
}

// TestStatelessServicesNeedNoDatabase keeps their binaries and their memory
// small.
func TestStatelessServicesNeedNoDatabase(t *testing.T) {
	forbid(t, dependencies(t, module+"/cmd/product-svc", module+"/cmd/payments-starter", module+"/cmd/api-gateway", module+"/cmd/postgres-secret"),
		module+"/internal/shop/database", "modernc.org/sqlite", "github.com/jackc/pgx/v5")
}
