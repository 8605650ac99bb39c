package up_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/up"
)

// A port that two workloads would listen on is refused before anything is
// compiled.
func TestRefusesAPortOfTwoWorkloads(t *testing.T) {
	dir := newShop(t)
	r := &run{t: t, dir: dir}
	manifests := ""
	for _, name := range []string{"back", "front"} {
		manifests += "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  template:\n    spec:\n      containers:\n" +
			"      - {name: web, image: ko://example.com/shop/cmd/web, ports: [{containerPort: 8080}, {name: metrics, containerPort: 19797}]}\n---\n"
	}
	if err := os.Mkdir(filepath.Join(dir, "conflict"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("conflict/kustomization.yaml", "resources: [metrics.yaml]\n")
	r.write("conflict/metrics.yaml", manifests)
	opts, log := options(t, io.Discard)
	defer log.Close()
	opts.Kustomization = "conflict"
	err := up.Run(t.Context(), opts)
	if want := "kustomization conflict: port 19797 is fixed in container web of deployment.apps/back and container web of deployment.apps/front"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := os.Stat(filepath.Join(dir, opts.State)); !os.IsNotExist(err) {
		t.Errorf("there is a %s, as if something had been compiled (error %v)", opts.State, err)
	}
}
