package wire

// Build is what a supervisor runs: the image's executable if it is empty.
type Build struct {
	Executable Digest `json:"executable,omitempty"`
	Debugger   Digest `json:"debugger,omitempty"` // that runs the executable
}

// String names it to people.
func (b Build) String() string {
	name := "the image's executable"
	if b.Executable != "" {
		name = "executable " + string(b.Executable[:12])
	}
	if b.Debugger != "" {
		name += " under the debugger"
	}
	return name
}

// Valid reports whether b names executables.
func (b Build) Valid() bool {
	return b.Executable.Valid() && (b.Debugger == "" || b.Debugger.Valid())
}
