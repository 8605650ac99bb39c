// Package pod works out what one replica of a workload needs on this machine:
// its programs with their arguments, environment, ports and probes, and its
// volumes.
//
// [New] starts and writes nothing. [Pod.LayOut] writes the volumes.
package pod

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/workload"
)

// Site is the place a pod is put.
type Site struct {
	// Root is the empty directory that stands for the file system of the pod's
	// containers.
	Root string
	// Claims is the directory that keeps persistent volumes, one directory per
	// namespace and claim.
	Claims string
	// Replica counts the pods of a workload from 0.
	Replica int
	// Binary returns the executable built from an import path.
	Binary func(importPath string) string
	// Local reports whether a program of this machine runs in the place of a
	// container whose image is not built from Go, not a container engine; nil if
	// none does.
	Local func(corev1.Container) bool
	// DataPath returns the kodata directory of an import path, "" if it has
	// none; nil if no program has one.
	DataPath func(importPath string) string
	// FreePort returns a loopback port that nothing listens on.
	FreePort func() (int, error)
	// Address returns the loopback address, such as 127.0.0.1:41234, at which a
	// port of a Service of the plan is reached.
	Address func(s *workload.Service, port int32) string
	// Redirect leads Services, of the plan or not, elsewhere: from NAME or
	// NAME.NAMESPACE to HOST:PORT.
	Redirect map[string]string
}

// Pod is what the processes of one replica get.
type Pod struct {
	Name string
	// Init run to their end, one after the other, before Containers start. A
	// sidecar, which is an init container that runs on, comes first in
	// Containers.
	Init, Containers []Container
	// Fixed tells that a port cannot be moved, or that a database is kept on a
	// volume, so that no second pod of the workload can run beside this one.
	Fixed bool
	// Grace is how long the processes may take to end when told to.
	Grace time.Duration
	// Hints say what the programs may miss here that they have in a cluster.
	Hints []string

	layout layout
}

// Container is one process.
type Container struct {
	Name, ImportPath, Binary string
	Args                     []string
	Env                      []string // all of it, as NAME=VALUE, sorted
	Dir                      string   // working directory
	// Ports are the loopback ports by container port.
	Ports map[int32]int
	// Listen is the loopback port that PORT names, 0 if nothing says that the
	// program listens at all.
	Listen int
	// MayNotListen tells that the program may be a worker, which listens nowhere.
	MayNotListen bool
	// Probes have loopback ports as numbers, a host and local paths; nil if the
	// manifests have none.
	Readiness, Liveness, Startup *probe.Probe
	// Sidecar tells an init container that runs as long as the pod does.
	Sidecar bool
	// Image is nil if the container is built from Go. Otherwise it has neither
	// Binary nor Args, and Env is of no use to it.
	Image *Image
}

// LayOut makes the directories of the pod and writes its volumes, below the
// Root and the Claims of its [Site]. It fails if a hostPath is not there, or if a
// file is where a mount belongs.
func (p *Pod) LayOut() error { return p.layout.make() }
