// Package live is the pod's side of live reload. A supervisor runs the program
// of an image as its child, and replaces it by the executables that it is sent.
// It is one static program that needs neither a shell nor tar nor root, so that
// it works in the images that run in production.
//
//	supervisor  runs one version of the program at a time, and decides which
//	store       keeps the executables that were sent, across container restarts
//	send        is what a developer's machine sends, over an exec into the pod:
//	            as a rule the difference to an executable in its library
//	receive     brings that into the store
//	control     is how the program that receives one talks to the supervisor
//	reaper      starts processes, and waits for them and for their orphans
package live
