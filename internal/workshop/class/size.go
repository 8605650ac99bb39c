package class

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// usable is the part of a node, in percent, that is left for a class: the kubelet,
// the system and the cluster's own pods, the traffic manager among them, have the
// rest. systemPods is how many of these there are on a node.
const (
	usable     = 85
	systemPods = 10
)

// One attendee in busy replaces all they have at the same time as others do. The
// pods of more than that wait until there is room.
const busy = 4

// Node is the size of the nodes of a cluster.
type Node struct {
	CPU, Memory resource.Quantity
	Pods        int64 // that it can run; 110 unless its provider says otherwise
}

// Size is what a class of a size takes.
type Size struct {
	Attendees int
	Demand    Demand
	Nodes     int64
}

// SizeOf returns what copies of an overlay take in a class: one for each attendee,
// or one for all.
func SizeOf(overlay Overlay, attendees int, shared bool, node Node) (Size, error) {
	if attendees < 1 || attendees > MaxSize {
		return Size{}, fmt.Errorf("a class of %d: it has 1 to %d attendees", attendees, MaxSize)
	}
	copies := attendees
	if shared {
		copies = 1
	}
	rolling := (copies + busy - 1) / busy
	demand := times(overlay.Rolling, rolling)
	add(demand, times(overlay.Running, copies-rolling))
	nodes, err := node.hold(demand)
	return Size{Attendees: attendees, Demand: demand, Nodes: nodes}, err
}

// hold returns how many such nodes hold a demand.
func (n Node) hold(demand Demand) (int64, error) {
	nodes := int64(1)
	for _, part := range []struct {
		what       string
		asked, one int64
	}{
		{"so little CPU", milli(demand[corev1.ResourceRequestsCPU]), n.CPU.MilliValue() * usable / 100},
		{"so little memory", value(demand[corev1.ResourceRequestsMemory]), n.Memory.Value() / 100 * usable},
		{"so few pods", value(demand[corev1.ResourcePods]), n.Pods - systemPods},
	} {
		if part.one <= 0 {
			return 0, fmt.Errorf("a node with %s has nothing left for a class: name the size of one, such as 4 CPUs, 16Gi and 110 pods", part.what)
		}
		nodes = max(nodes, (part.asked+part.one-1)/part.one)
	}
	return nodes, nil
}

func milli(q resource.Quantity) int64 { return q.MilliValue() }

func value(q resource.Quantity) int64 { return q.Value() }
