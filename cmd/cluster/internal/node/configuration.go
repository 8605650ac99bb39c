package node

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
)

//go:embed config manifests
var embedded embed.FS

var templates = template.Must(template.New("").Option("missingkey=error").ParseFS(embedded, "config/*", "manifests/*"))

// settings are what the configuration files and manifests are filled with.
type settings struct {
	Dir, Name, Address, Registry string
	Bridge, PodCIDR, DNSAddress  string
	Fence                        string // the chain that keeps packets to Services on the machine
	CNIBinaries, Snapshotter     string
	MTU                          int
	Forward                      bool // whether names outside of the cluster can be resolved
	Images                       images
}

func (n *Node) settings(pushed images) (settings, error) {
	snapshotter, err := snapshotterFor(n.Dir)
	if err != nil {
		return settings{}, err
	}
	nameservers, err := nameservers("/etc/resolv.conf")
	return settings{
		Dir: n.Dir, Name: name, Address: n.address, Registry: n.registry(),
		Bridge: bridge, Fence: fenceChain, PodCIDR: podCIDR, DNSAddress: dnsAddress,
		CNIBinaries: cniBinaries, Snapshotter: snapshotter,
		MTU: n.mtu, Forward: len(nameservers) > 0, Images: pushed,
	}, err
}

// configure writes the configuration of the node's programs.
func (n *Node) configure(s settings) error {
	for _, dir := range []string{"config", "cni", "kubelet", "volumes", "containerd/registries/docker.io", "containerd/registries/" + n.registry()} {
		if err := os.MkdirAll(n.path(dir), 0o700); err != nil {
			return err
		}
	}
	for path, source := range map[string]string{
		n.path("config", "containerd.toml"):                            "config/containerd.toml",
		n.path("config", "kubelet.yaml"):                               "config/kubelet.yaml",
		n.path("config", "kube-proxy.yaml"):                            "config/kube-proxy.yaml",
		n.path("cni", "10-koshop.conflist"):                            "config/10-koshop.conflist",
		n.path("containerd", "registries", "docker.io", "hosts.toml"):  "config/hosts.toml",
		n.path("containerd", "registries", n.registry(), "hosts.toml"): "config/hosts.toml",
	} {
		if err := renderFile(path, source, s); err != nil {
			return err
		}
	}
	return n.writeResolvConf()
}

// writeResolvConf keeps the machine's search domains out of the pods: a name means the
// same in every cluster.
func (n *Node) writeResolvConf() error {
	servers, err := nameservers("/etc/resolv.conf")
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, server := range servers {
		fmt.Fprintf(&lines, "nameserver %s\n", server)
	}
	return writeFile(n.path("resolv.conf"), []byte(lines.String()), 0o644)
}

// nameservers returns those a pod can reach too, which loopback's are not.
func nameservers(path string) (servers []string, err error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "nameserver" && !strings.HasPrefix(fields[1], "127.") && fields[1] != "::1" {
			servers = append(servers, fields[1])
		}
	}
	return servers, err
}

// overlayMagic is the file system type of overlayfs (statfs(2)), in which another
// overlayfs cannot be mounted: that is how it is inside of a container.
const overlayMagic = 0x794c7630

func snapshotterFor(dir string) (string, error) {
	var info syscall.Statfs_t
	if err := syscall.Statfs(dir, &info); err != nil {
		return "", &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	if info.Type == overlayMagic {
		return "native", nil
	}
	return "overlayfs", nil
}

func renderFile(path, source string, values any) error {
	text, err := render(source, values)
	if err != nil {
		return err
	}
	return writeFile(path, text, 0o600)
}

func render(source string, values any) ([]byte, error) {
	var text bytes.Buffer
	err := templates.ExecuteTemplate(&text, filepath.Base(source), values)
	return text.Bytes(), err
}

// writeFile writes the file whole or not at all, with the mode whatever it was before.
func writeFile(path string, data []byte, mode os.FileMode) error {
	part := path + ".part"
	if err := os.WriteFile(part, data, mode); err != nil {
		return err
	}
	return os.Rename(part, path)
}
