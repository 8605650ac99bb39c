// Package live is the pod's side of live reload. A supervisor runs the program
// of an image as its child, and replaces it by the executables that it is sent.
// It is one static program that needs neither a shell nor tar nor root, so that
// it works in the images that run in production.
//
//	supervisor  runs one executable at a time, and decides which
//	store       keeps the executables that were sent, across container restarts
//	transfer    brings one into the container, over the stdin of `kubectl exec`
//	control     is how the program that receives one talks to the supervisor
//	reaper      starts processes, and waits for them and for their orphans
package live

// socketName is the supervisor's Unix socket, in the directory of the store.
const socketName = "socket"
