package wire

const (
	// VolumeName is that of the volume that a pod has for live reload, and of the init
	// container that fills it.
	VolumeName = "live-reload"
	// Dir is where containers have the volume.
	Dir = "/live-reload"
	// SupervisorPath is the supervisor's program in a container, whose command it is.
	SupervisorPath = Dir + "/live-reload"
)

// StoreDir is the directory that keeps what is sent to a container: a volume of its own,
// so that no container can give another one something to run.
const StoreDir = "/live-reload-store"

// StoreVolume is the name of that volume in a pod.
func StoreVolume(container string) string { return volumeOf("store", container) }

// volumeOf returns the name of a volume of a container, which is no longer than one may
// be.
func volumeOf(purpose, container string) string {
	const most = 63 // That of a DNS label.
	name := VolumeName + "-" + purpose + "-"
	if len(name)+len(container) <= most {
		return name + container
	}
	return name + string(DigestBytes([]byte(container)))[:16]
}
