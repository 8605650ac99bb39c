package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/koshop/koshop/cmd/cluster/internal/host"
)

// podsCgroup is the control group the kubelet keeps the pods in.
const podsCgroup = "kubepods"

// changedSysctls are the kernel settings that this program, the kubelet, kube-proxy or the bridge plugin set.
var changedSysctls = []string{
	"net/ipv4/ip_forward",
	"net/ipv4/conf/all/route_localnet",
	"net/bridge/bridge-nf-call-iptables",
	"net/bridge/bridge-nf-call-ip6tables",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
	"kernel/panic",
	"kernel/panic_on_oops",
	"kernel/keys/root_maxkeys",
	"kernel/keys/root_maxbytes",
}

// hostPaths are the places outside of the directory that the kubelet, containerd or a CNI
// plugin uses whatever its configuration says.
var hostPaths = []string{
	"/run/containerd", "/run/netns", "/run/xtables.lock", "/var/lib/cni", "/var/lib/kubelet",
	"/var/log/containers", "/var/log/pods", "/usr/libexec/kubernetes", "/opt/containerd", "/opt/cni", "/etc/cni", "/etc/containerd",
}

// baseline is how the machine was before the node's first start: what `down` gives back.
type baseline struct {
	// Firewall is what iptables-save and ip6tables-save printed, by the program's prefix.
	Firewall map[string]string `json:"firewall"`
	Sysctls  host.Sysctls      `json:"sysctls"`
	// Paths are those of hostPaths that were there.
	Paths []string `json:"paths"`
}

func (n *Node) baselineFile() string { return n.path("baseline.json") }

// recordBaseline records the machine's state unless there is a record: after a failed
// start the state is no longer the one to go back to.
func (n *Node) recordBaseline(ctx context.Context) error {
	if _, found, err := n.readBaseline(); found || err != nil {
		return err
	}
	b := baseline{Firewall: map[string]string{}, Paths: host.Existing(hostPaths...)}
	var err error
	if b.Sysctls, err = host.ReadSysctls(changedSysctls...); err != nil {
		return err
	}
	for _, family := range firewalls() {
		if b.Firewall[family], err = run(ctx, "", family+"-save"); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(n.baselineFile(), data, 0o600)
}

func (n *Node) readBaseline() (b baseline, found bool, err error) {
	data, err := os.ReadFile(n.baselineFile())
	if errors.Is(err, fs.ErrNotExist) {
		return b, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	if err != nil {
		return b, false, fmt.Errorf("reading how the machine was before: %w", err)
	}
	return b, true, nil
}

// firewalls are the iptables families this machine can list.
func firewalls() (families []string) {
	for _, family := range []string{"iptables", "ip6tables"} {
		if _, err := exec.LookPath(family + "-save"); err == nil {
			families = append(families, family)
		}
	}
	return families
}

// run runs a program and returns what it prints; an error has the command and its complaint.
func run(ctx context.Context, input, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(complaint.String()))
	}
	return string(output), nil
}
