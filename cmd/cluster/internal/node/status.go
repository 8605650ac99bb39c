package node

import (
	"context"
	"errors"
)

// Status says what runs. It is an error when something of the node does not.
func (n *Node) Status(ctx context.Context) error {
	complete := true
	for _, p := range n.programs() {
		state := "runs"
		if !n.Running(p.Name) {
			state, complete = "does not run", false
		}
		n.say("%-24s %s", p.Name, state)
	}
	if !complete || n.nodeReady(ctx) != nil || n.dnsReady(ctx) != nil {
		return errors.New("the cluster is not up: up brings it up")
	}
	n.say("the node and its DNS are ready")
	return nil
}
