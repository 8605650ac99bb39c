package watch

import "fmt"

// Mode is how changes of files are noticed. It is a flag's value.
type Mode string

const (
	// Auto polls the directories on file systems that are known to report no
	// changes that others make, and takes events for all others. It is the default.
	Auto Mode = "auto"
	// Events takes what the system reports.
	Events Mode = "events"
	// Poll looks through all directories again and again.
	Poll Mode = "poll"
)

// Set takes the name of a mode.
func (m *Mode) Set(name string) error {
	switch mode := Mode(name); mode {
	case Auto, Events, Poll:
		*m = mode
		return nil
	}
	return fmt.Errorf("expected %s, %s or %s", Auto, Events, Poll)
}

// String returns the name of the mode.
func (m *Mode) String() string { return string(*m) }

// Type names the flag's value in the help.
func (m *Mode) Type() string { return "auto|events|poll" }
