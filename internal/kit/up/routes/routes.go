// Package routes leads requests to what is ready: to the replicas of a run from a port
// for each port of a Service, and from the front door.
package routes

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/workload"
)

// Replica tells the replicas of workloads apart.
type Replica struct {
	Workload string // its ID
	Number   int    // counts from 0
}

// Instance is what runs of a replica.
type Instance interface {
	// Endpoint returns what leads to a container port, nil if nothing does.
	Endpoint(containerPort int32) *route.Endpoint
}

// Routes lead to the instances that are ready: from a loopback port for each
// port of a Service, and from the front door.
type Routes struct {
	front    *route.Front
	port     int
	services map[string]string // where Services are that run elsewhere
	explain  func(*workload.Workload) string

	mu        sync.Mutex
	plan      *workload.Plan
	doors     map[doorID]*door
	outside   map[string]*outside // backends of Ingresses that are not run here
	ready     map[Replica]Instance
	addresses map[string][]string // by which people reach workloads, by their names
}

// doorID tells the ports of Services apart.
type doorID struct {
	namespace, service string
	port               int32
}

// door is a loopback port that stands for one port of a Service.
type door struct {
	pool     *route.Pool
	listener *route.Listener
}

// New opens the front door at a port of localhost. When nothing answers behind a door,
// explain says why.
func New(port int, explain func(*workload.Workload) string) (*Routes, error) {
	front, err := route.NewFront(port)
	if err != nil {
		return nil, fmt.Errorf("opening the front door: %w", err)
	}
	return &Routes{
		front: front, port: port, explain: explain,
		doors: map[doorID]*door{}, outside: map[string]*outside{}, ready: map[Replica]Instance{},
	}, nil
}

// Lead makes the routes those of a plan, and of Services that run elsewhere. Doors
// that were opened stay open: programs know their addresses.
func (r *Routes) Lead(plan *workload.Plan, services map[string]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range plan.Services {
		for _, port := range s.Ports {
			if err := r.open(s, port); err != nil {
				return err
			}
		}
	}
	r.plan, r.services = plan, services
	r.setFront()
	r.setPools()
	return nil
}

// open opens the door of a Service's port, once.
func (r *Routes) open(s *workload.Service, port workload.ServicePort) error {
	id := doorID{s.Namespace, s.Name, port.Port}
	if r.doors[id] != nil {
		return nil
	}
	pool := route.NewPool(s.Name)
	pool.Explain(func() string { return r.reason(id) })
	listen := route.ListenTCP
	switch {
	case port.Presumed:
		listen = route.ListenAny
	case port.HTTP:
		listen = route.ListenHTTP
	}
	listener, err := listen(route.Loopback(id.usualPort()), pool)
	if _, busy := errors.AsType[*route.BusyError](err); busy {
		listener, err = listen(route.Loopback(0), pool)
	}
	if err != nil {
		return fmt.Errorf("opening a port for %s: %w", s, err)
	}
	r.doors[id] = &door{pool: pool, listener: listener}
	return nil
}

// usualPort returns the port of this machine that a door has whenever it is
// free, so that what people have noted stays true. It is below those that systems
// give to connections. BSD would let us take it from another program.
func (id doorID) usualPort() int {
	sum := fnv.New32a()
	fmt.Fprintf(sum, "%s/%s:%d", id.namespace, id.service, id.port)
	port := 20000 + int(sum.Sum32()%10000)
	if runtime.GOOS != "linux" && route.Probe(port) != nil {
		return 0
	}
	return port
}

// service returns the Service that a door stands for, nil if the plan has it no
// more.
func (r *Routes) service(id doorID) *workload.Service {
	for _, s := range r.plan.Services {
		if s.Namespace == id.namespace && s.Name == id.service {
			return s
		}
	}
	return nil
}

// reason says why nothing answers behind a door.
func (r *Routes) reason(id doorID) string {
	r.mu.Lock()
	s := r.service(id)
	r.mu.Unlock()
	if s == nil {
		return id.service + " is not there any more"
	}
	return r.explain(s.Backends[0])
}

// Set leads requests to an instance, in the place of the replica's one before.
func (r *Routes) Set(replica Replica, ready Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready[replica] = ready
	r.setPools()
}

// Clear leads no more requests to an instance, if it is the replica's that gets them.
func (r *Routes) Clear(replica Replica, was Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready[replica] == was {
		delete(r.ready, replica)
		r.setPools()
	}
}

func (r *Routes) setPools() {
	for id, d := range r.doors {
		if r.service(id) == nil {
			d.pool.Set(nil)
		}
	}
	for _, s := range r.plan.Services {
		for _, port := range s.Ports {
			r.doors[doorID{s.Namespace, s.Name, port.Port}].pool.Set(r.endpoints(s, port))
		}
	}
}

// endpoints finds what is ready behind a Service's port.
func (r *Routes) endpoints(s *workload.Service, port workload.ServicePort) []*route.Endpoint {
	var endpoints []*route.Endpoint
	for replica, instance := range r.ready {
		i := slices.IndexFunc(s.Backends, func(w *workload.Workload) bool { return w.ID() == replica.Workload })
		if i < 0 {
			continue
		}
		target, err := port.TargetPort(s.Backends[i])
		if err != nil {
			continue // Nothing listens there, as in a cluster.
		}
		if endpoint := instance.Endpoint(target); endpoint != nil {
			endpoints = append(endpoints, endpoint)
		}
	}
	return endpoints
}

// Address returns where a Service's port is reached.
func (r *Routes) Address(s *workload.Service, port int32) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doors[doorID{s.Namespace, s.Name, port}].listener.Addr()
}

func backs(id string, s *workload.Service) bool {
	return slices.ContainsFunc(s.Backends, func(w *workload.Workload) bool { return w.ID() == id })
}

// closeWithin bounds what requests in flight may take at the end of a run.
const closeWithin = time.Second

// Close closes all doors. Requests in flight have a moment to end.
func (r *Routes) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	var closing sync.WaitGroup
	closing.Go(func() { r.front.Close(ctx) })
	for _, d := range r.doors {
		closing.Go(func() { d.listener.Close(ctx) })
	}
	closing.Wait()
}
