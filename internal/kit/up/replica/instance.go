package replica

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/route"
)

// errCompleted is how an instance ends whose programs have all ended well.
var errCompleted = errors.New("completed")

// instance is a pod that runs: the programs of one replica in one version.
type instance struct {
	version *Version
	began   time.Time
	dir     string // its own, for as long as it lives
	cancel  context.CancelFunc
	stopBy  atomic.Pointer[time.Time] // when programs are killed after cancel; nil means after their grace
	ready   chan struct{}             // closed at the first time that all programs are ready
	turn    chan bool                 // later turns of that
	ended   chan struct{}             // closed when all programs are gone
	err     error                     // why; to be read when ended is closed

	// To be read when ready is closed.
	pod       *pod.Pod
	took      time.Duration             // from the start to ready
	endpoints map[int32]*route.Endpoint // by container port
}

// The channels of no instance never deliver.

func (i *instance) isReady() <-chan struct{} {
	if i == nil {
		return nil
	}
	return i.ready
}

func (i *instance) hasEnded() <-chan struct{} {
	if i == nil {
		return nil
	}
	return i.ended
}

func (i *instance) turns() <-chan bool {
	if i == nil {
		return nil
	}
	return i.turn
}

// runs reports whether the instance runs what a version asks for.
func (i *instance) runs(version *Version) bool { return i != nil && i.version.same(version) }

// becomeReady opens the instance to requests.
func (i *instance) becomeReady() {
	i.took = time.Since(i.began)
	i.endpoints = map[int32]*route.Endpoint{}
	for _, c := range i.pod.Containers {
		for containerPort, port := range c.Ports {
			i.endpoints[containerPort] = route.NewEndpoint(route.Loopback(port))
		}
	}
	close(i.ready)
}

// Endpoint returns what leads to a container port, nil if nothing does.
func (i *instance) Endpoint(containerPort int32) *route.Endpoint { return i.endpoints[containerPort] }

// retire lets the requests in flight be finished until ctx ends.
func (i *instance) retire(ctx context.Context) {
	var retiring sync.WaitGroup
	for _, endpoint := range i.endpoints {
		retiring.Go(func() { endpoint.Retire(ctx) })
	}
	retiring.Wait()
}

// endWithin is how much of the pod's time for ending its programs have at least
// once they are told to end, if the pod grants twice as much.
const endWithin = 5 * time.Second

// leave ends an instance that takes no new requests: its requests in flight and
// its programs have the time together that the pod grants for ending.
func (i *instance) leave() {
	select {
	case <-i.ready:
		by := time.Now().Add(i.pod.Grace)
		i.stopBy.Store(&by)
		ctx, cancel := context.WithDeadline(context.Background(), by.Add(-min(endWithin, i.pod.Grace/2)))
		defer cancel()
		if !i.isStore() {
			i.retire(ctx)
		}
	default: // It never served.
	}
	i.cancel()
	<-i.ended
}

// isStore reports whether the instance is a database or the like: its clients keep
// their connections, so that it is told to end at once, as in a cluster.
func (i *instance) isStore() bool {
	return !slices.ContainsFunc(i.pod.Containers, func(c pod.Container) bool { return c.Image == nil })
}

// grace is how long the programs may take to end, once they are told to.
func (i *instance) grace() time.Duration {
	if by := i.stopBy.Load(); by != nil {
		return max(time.Until(*by), 0)
	}
	return i.pod.Grace
}
