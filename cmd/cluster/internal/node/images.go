package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/koshop/koshop/cmd/cluster/internal/image"
)

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// images are the node's own images, by digest.
type images struct {
	Pause, CoreDNS string
}

func (n *Node) layer(name string) string { return n.path("bin", name+".tar.gz") }

// buildLayers writes the layers of the images that are made of this module's programs.
func (n *Node) buildLayers(context.Context) error {
	static, err := image.StaticEntries()
	if err != nil {
		return err
	}
	for name, entries := range map[string][]image.Entry{
		"static":  static,
		"coredns": {image.Program("coredns", n.binary("coredns"))},
		"pause":   {image.Program("pause", n.binary("pause"))},
	} {
		if err := image.WriteLayer(n.layer(name), entries); err != nil {
			return err
		}
	}
	return nil
}

// pushImages puts the images into the registry; those it has already cost a question each.
func (n *Node) pushImages(ctx context.Context) (pushed images, err error) {
	nonRoot := fmt.Sprint(image.NonRoot)
	static := []string{path, "SSL_CERT_FILE=" + image.CertificatesFile}
	for _, i := range []struct {
		config v1.Config
		layers []string
		tags   []string
		digest *string
	}{
		{v1.Config{User: nonRoot, Entrypoint: []string{"/pause"}}, []string{"pause"}, []string{"pause:latest"}, &pushed.Pause},
		{v1.Config{User: nonRoot, Env: static, WorkingDir: "/home/nonroot"}, []string{"static"}, []string{"static:nonroot"}, new(string)},
		{v1.Config{User: nonRoot, Env: static, Entrypoint: []string{"/coredns"}}, []string{"static", "coredns"}, []string{"coredns:latest"}, &pushed.CoreDNS},
		{postgresConfig(), []string{"postgres"}, []string{"library/postgres:15", "library/postgres:15-bookworm"}, new(string)},
	} {
		var layers, references []string
		for _, name := range i.layers {
			layers = append(layers, n.layer(name))
		}
		for _, tag := range i.tags {
			references = append(references, n.registry()+"/"+tag)
		}
		if *i.digest, err = image.Push(ctx, i.config, layers, references...); err != nil {
			return images{}, err
		}
	}
	return pushed, nil
}

// postgresConfig is what the official image has, except for C.UTF-8: Debian's package has no other UTF-8 locale.
func postgresConfig() v1.Config {
	const data = "/var/lib/postgresql/data"
	return v1.Config{
		Env:          []string{path + ":" + image.PostgresBin, "PGDATA=" + data, "LANG=C.UTF-8", "PG_MAJOR=15"},
		Entrypoint:   []string{"docker-entrypoint.sh"},
		Cmd:          []string{"postgres"},
		ExposedPorts: map[string]struct{}{"5432/tcp": {}},
		Volumes:      map[string]struct{}{data: {}},
		StopSignal:   "SIGINT", // ends the sessions rather than waiting for them
	}
}

// writeEnvironment writes the files for the users of the cluster.
func (n *Node) writeEnvironment() error {
	kubeconfig, err := os.ReadFile(n.pki("admin.kubeconfig"))
	if err != nil {
		return err
	}
	if err := writeFile(n.path("kubeconfig"), kubeconfig, 0o600); err != nil {
		return err
	}
	lines := fmt.Sprintf("export PATH=%s:$PATH\nexport KUBECONFIG=%s\nexport KO_DOCKER_REPO=%s\nexport KO_DEFAULTBASEIMAGE=%[3]s/static:nonroot\nexport NAMESPACE=api\n",
		filepath.Dir(n.binary("kubectl")), n.path("kubeconfig"), n.registry())
	return writeFile(n.path("env"), []byte(lines), 0o644)
}
