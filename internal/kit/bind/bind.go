// Package bind names what is mounted in a container whose image is not built
// from Go.
package bind

// Mount is a directory or file of this machine at a path of a container.
type Mount struct {
	Inside, Here string
	ReadOnly     bool
	Source       Source
}

// Source tells what is mounted.
type Source int

// What is mounted.
const (
	// Host is a directory of this machine that is not ours: a hostPath.
	Host Source = iota
	// Volume is a directory of ours that is kept, or that containers share.
	Volume
	// Files are ours for the container to read: those of ConfigMaps, Secrets and
	// the like.
	Files
	// Scratch is an emptyDir that no other container mounts.
	Scratch
)
