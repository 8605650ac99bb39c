package readiness

import "time"

// How long a wait is patient. What a cluster does by itself is tried again after
// waiting times that double, from a second or so on.
const (
	// settle is how long everything must be held up until that counts: what one
	// object waits for, another may make in the next moment.
	settle = 3 * time.Second
	// triedAgain is how long it takes until a kubelet or a controller tries again what
	// it could not do before.
	triedAgain = 20 * time.Second
	// triedAtLast bounds how long that takes for what has failed for long: the kubelet
	// pulls images again after five minutes at most.
	triedAtLast = 5 * time.Minute
	// holds is how long a pod must have run that has no readiness probe, and so counts
	// as ready from its start on: a program that ends soon is ready until then.
	holds = 5 * time.Second
	// pulledAgain is how long a registry may be out of reach: within it, the kubelet
	// tries twice.
	pulledAgain = 15 * time.Second
	// scheduling is how long a pod may be without a node: an autoscaler of nodes takes
	// so long to say that it brings one.
	scheduling = 10 * time.Second
	// attached is how long a volume may be held by the node of an old pod.
	attached = time.Minute
	// crashesThatBlock is after how many restarts a container that ends again and
	// again is held up by whatever it needs: one crash while a database starts is
	// nothing.
	crashesThatBlock = 2
	// crashesUnprobed is the same where something else of the set has no readiness
	// probe: nobody knows when it is ready.
	crashesUnprobed = 4
)
