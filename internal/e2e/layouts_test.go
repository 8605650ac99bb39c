//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/koshop/koshop/internal/kit/layouts"
)

// What `ko reload` runs in a pod is what the image of the pod has, however
// people lay out their repository and name the program. With LAYOUTS=all, all of them are
// tried, else every other one.
func TestReloadOfLayouts(t *testing.T) {
	c := connect(t)
	all, err := layouts.All()
	if err != nil {
		t.Fatal(err)
	}
	slots := make(chan struct{}, 4) // Each waits for pods most of the time.
	for i, layout := range all {
		// What is linked with the C library does not run in the base image.
		if !layout.Reload || slices.Contains(layout.Needs, "gcc") {
			continue
		}
		// Package layouts compares what is built of all of them without a cluster.
		if os.Getenv("LAYOUTS") != "all" && i%2 > 0 {
			continue
		}
		t.Run(layout.Name, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			deployLayout(t, c, layout).reload(t)
		})
	}
}

// deployedLayout is a layout whose programs run in a namespace.
type deployedLayout struct {
	*cluster
	*layouts.Layout
	dir       string // where the commands run
	namespace string
}

func deployLayout(t *testing.T, c *cluster, layout *layouts.Layout) *deployedLayout {
	t.Helper()
	root := t.TempDir()
	if err := layout.Write(root); err != nil {
		t.Fatal(err)
	}
	d := &deployedLayout{cluster: c, Layout: layout, dir: filepath.Join(root, layout.Dir), namespace: c.newNamespace(t)}
	d.ko(t, "apply", "-k", layout.Kustomization, "--live", "--wait")
	return d
}

// ko runs ko as a developer of the layout does.
func (d *deployedLayout) ko(t *testing.T, args ...string) {
	t.Helper()
	path, err := filepath.Abs(koPath(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, onCluster(append(args, "--namespace="+d.namespace)...)...)
	// Below a name of their own, programs of one letter have a name that registries take.
	own := append(os.Environ(), "KO_DOCKER_REPO="+os.Getenv("KO_DOCKER_REPO")+"/layouts")
	cmd.Dir, cmd.Env = d.dir, append(own, d.Env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ko %q in %s: %v\n%s", args, d.dir, err, output)
	}
}

func (d *deployedLayout) reload(t *testing.T) {
	for _, p := range d.Programs {
		url := d.forward(t, d.namespace, p.Service)
		d.says(t, url, p)
		for _, name := range []string{p.ImportPath, p.Path()} {
			d.ko(t, "reload", name, "--selector=app.kubernetes.io/name="+p.Service)
			d.says(t, url, p)
		}
	}
}

func (d *deployedLayout) says(t *testing.T, url string, p *layouts.Program) {
	t.Helper()
	eventually(t, p.ImportPath+" says "+p.Says, func(ctx context.Context) error {
		_, body, err := get(ctx, url)
		if err == nil && body != p.Says {
			err = fmt.Errorf("it says %q", body)
		}
		return err
	})
}
