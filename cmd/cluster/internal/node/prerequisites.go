package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/koshop/koshop/cmd/cluster/internal/host"
	"github.com/koshop/koshop/cmd/cluster/internal/image"
)

// cniBinaries is where Debian's containernetworking-plugins puts them.
const cniBinaries = "/usr/lib/cni"

// required lists what the machine must have, by the Debian package that brings it.
var required = []struct{ file, pkg string }{
	{"containerd", "containerd"},
	{"containerd-shim-runc-v2", "containerd"},
	{"runc", "runc"},
	{"iptables", "iptables"},
	{"conntrack", "conntrack"},
	{"ip", "iproute2"},
	{"mount", "mount"},
	{"chroot", "coreutils"},
	{"apt-get", "apt"},
	{"dpkg-deb", "dpkg"},
	{cniBinaries + "/bridge", "containernetworking-plugins"},
	{image.CertificatesFile, "ca-certificates"},
}

// checkMachine says, in one error, all that the machine lacks and how to get it.
func checkMachine() error {
	if err := checkSystem(); err != nil {
		return err
	}
	var packages []string
	for _, r := range required {
		if !installed(r.file) && !strings.Contains(strings.Join(packages, " ")+" ", r.pkg+" ") {
			packages = append(packages, r.pkg)
		}
	}
	if len(packages) > 0 {
		return fmt.Errorf("missing on this machine: %s\ninstall them by: apt-get install --no-install-recommends %s",
			strings.Join(packages, ", "), strings.Join(packages, " "))
	}
	return nil
}

func checkSystem() error {
	switch {
	case runtime.GOOS != "linux":
		return fmt.Errorf("a node needs Linux, and this is %s: use kind, k3d, minikube or a remote cluster", runtime.GOOS)
	case os.Geteuid() != 0:
		return errors.New("a node needs root's rights: run the command as root, or use kind, k3d, minikube or a remote cluster")
	}
	return nil
}

func installed(file string) bool {
	if strings.HasPrefix(file, "/") {
		return len(host.Existing(file)) > 0
	}
	_, err := exec.LookPath(file)
	return err == nil
}

// checkFree refuses to start beside another cluster: two on one machine fight over
// control groups, firewall chains and ports.
func (n *Node) checkFree() error {
	pids, err := host.CgroupProcesses(podsCgroup)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return fmt.Errorf("another Kubernetes node runs pods on this machine (process %d is one of theirs): use that one, or take it down first", pids[0])
	}
	for _, p := range n.programs() {
		for _, address := range n.ports(p.Name) {
			if err := free(address); err != nil && !n.Running(p.Name) {
				return fmt.Errorf("%s needs the address %s: %w; `ss -ltnp` names the program that has it", p.Name, address, err)
			}
		}
	}
	return nil
}

func free(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return listener.Close()
}

// findAddress finds the machine's own address: the one its default route leaves by.
func (n *Node) findAddress() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	preferred := ""
	// No packet is sent: connecting a UDP socket only picks the route. The address is from a block for documentation.
	if conn, err := net.Dial("udp4", "198.51.100.1:9"); err == nil {
		preferred = conn.LocalAddr().(*net.UDPAddr).IP.String()
		if err := conn.Close(); err != nil {
			return err
		}
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			return err
		}
		for _, address := range addresses {
			ip, _, err := net.ParseCIDR(address.String())
			if err != nil || ip.To4() == nil || !ip.IsGlobalUnicast() || i.Name == bridge {
				continue
			}
			if ip.String() == preferred || n.address == "" {
				n.address, n.mtu = ip.String(), i.MTU
			}
		}
	}
	if n.address == "" {
		return errors.New("this machine has no IPv4 address but loopback's, which a node cannot use: give an interface one, for example by: ip addr add 172.31.255.1/32 dev lo")
	}
	return nil
}
