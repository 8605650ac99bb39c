package node

import (
	"context"
	"fmt"
)

// fenceChain has a prefix by which host.Undo knows it for the cluster's own: `down` takes it out again.
const fenceChain = "KOSHOP-SERVICES"

// fenceServices keeps packets to Services on the machine. kube-proxy translates
// the address of a Service to that of a pod a moment after the Service is made;
// until then, and after it is gone, the address would be routed to the outside
// world, where anybody may answer, and kept-alive connections would go on
// talking to them. A packet that still has such an address when it is to be
// sent was not translated, so it is refused. The CNI plugin `firewall` accepts
// whatever pods send before anything else sees it, but for its admin chain: its
// configuration names this one as that.
func (n *Node) fenceServices(ctx context.Context) error {
	// A chain that is named is emptied, or made if it is not there.
	chain := fmt.Sprintf("*filter\n:%s - [0:0]\n-A %[1]s --destination %s --jump REJECT\nCOMMIT\n", fenceChain, serviceCIDR)
	if _, err := run(ctx, chain, "iptables-restore", "--wait", "--noflush"); err != nil {
		return err
	}
	for _, from := range []string{"FORWARD", "OUTPUT"} {
		jump := []string{from, "--jump", fenceChain}
		if _, err := run(ctx, "", "iptables", append([]string{"--wait", "--check"}, jump...)...); err == nil {
			continue
		}
		if _, err := run(ctx, "", "iptables", append([]string{"--wait", "--insert"}, jump...)...); err != nil {
			return err
		}
	}
	return nil
}
