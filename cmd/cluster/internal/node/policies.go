package node

import "context"

const (
	// policyQueue is the netfilter queue by which the kernel asks about connections.
	policyQueue = "100"
	policyTable = "koshop-policies"
)

// queueConnections has the kernel ask the program network-policies about each TCP
// connection that a pod opens. While that program does not run, all connections pass.
// The rule is in the chain that sees the packets of pods first; it comes after the rule
// that keeps packets to Services on the machine.
//
// The program makes such rules of its own in nftables, but not every kernel can queue from
// there. Those of the program are for UDP, too. This one is not: some kernels lose one of
// two DNS queries that are queued at the same time.
//
// A node on a kernel that can do neither is of use, too, so this is no error.
func (n *Node) queueConnections(ctx context.Context) {
	_, err := run(ctx, "", "iptables", "--wait", "--append", fenceChain, "--in-interface", bridge, "--protocol", "tcp",
		"--match", "conntrack", "--ctstate", "NEW", "--jump", "NFQUEUE", "--queue-num", policyQueue, "--queue-bypass")
	if err != nil {
		n.say("this kernel does not queue packets from iptables, so network policies may not be enforced: %v", err)
	}
}
