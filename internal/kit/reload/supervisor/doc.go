// Package supervisor is the pod's side of live reload. A supervisor runs the program
// of an image as its child, and replaces it by the executables that it is sent.
// It is one static program that needs neither a shell nor tar nor root, so that
// it works in the images that run in production.
//
//	supervisor  runs one build of the program at a time, and decides which
//	store       keeps the executables that were sent, across container restarts
//	receive     brings what is sent into the store
//	control     is how the program that receives talks to the supervisor
//	reaper      starts processes, and waits for them and for their orphans
package supervisor
