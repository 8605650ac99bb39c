package wire

import "path"

const (
	// VolumeName is that of the volume that a pod has for live reload, and of the init
	// container that fills it.
	VolumeName = "live-reload"
	// Dir is where containers have the volume.
	Dir = "/live-reload"
	// SupervisorPath is the supervisor's program in a container, whose command it is.
	SupervisorPath = Dir + "/live-reload"
)

// StoreOf returns the directory that keeps what is sent to a container.
func StoreOf(container string) string { return path.Join(Dir, "of-"+container) }
