package backing

import "fmt"

// Mode is which ways to run images are looked for. It is a flag's value.
type Mode string

const (
	// Auto takes a program of this machine, or else a container engine.
	Auto Mode = "auto"
	// Programs takes no container engine.
	Programs Mode = "programs"
	// None runs no image.
	None Mode = "none"
)

// Set takes the name of a mode.
func (m *Mode) Set(name string) error {
	switch mode := Mode(name); mode {
	case Auto, Programs, None:
		*m = mode
		return nil
	}
	return fmt.Errorf("expected %s, %s or %s", Auto, Programs, None)
}

// String returns the name of the mode.
func (m *Mode) String() string { return string(*m) }

// Type names the flag's value in the help.
func (m *Mode) Type() string { return "auto|programs|none" }
