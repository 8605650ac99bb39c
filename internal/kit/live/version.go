package live

// version is what a supervisor runs: the image's executable if it is empty.
type version struct {
	Executable Digest `json:"executable,omitempty"`
	Debugger   Digest `json:"debugger,omitempty"` // that runs the executable
}

// String names a version to people.
func (v version) String() string {
	name := "the image's executable"
	if v.Executable != "" {
		name = "executable " + string(v.Executable[:12])
	}
	if v.Debugger != "" {
		name += " under the debugger"
	}
	return name
}

// valid reports whether v names executables of a store.
func (v version) valid() bool {
	return v.Executable.Valid() && (v.Debugger == "" || v.Debugger.Valid())
}
