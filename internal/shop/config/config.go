// Package config reads a program's configuration from the environment.
//
// A program binds its variables to fields, with a default and a meaning for
// each. -h prints them; a value that does not fit is refused before anything
// starts, with the variable's name and what it accepts.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Set is the variables of one program.
type Set struct {
	name, about string
	vars        []variable
}

type variable struct {
	name, def, meaning string
	parse              func(string) error
	secret             bool // its value is never printed
}

// New returns an empty set for the named program.
func New(name, about string) *Set { return &Set{name: name, about: about} }

// Func binds a variable of any form: parse stores the value, or returns an
// error that says what is accepted ("must be …").
func (s *Set) Func(name, def, meaning string, parse func(string) error) {
	s.vars = append(s.vars, variable{name: name, def: def, meaning: meaning, parse: parse})
}

// Secret is Func for a variable whose value may contain a password: error messages do not
// repeat the value.
func (s *Set) Secret(name, def, meaning string, parse func(string) error) {
	s.vars = append(s.vars, variable{name: name, def: def, meaning: meaning, parse: parse, secret: true})
}

// String binds a text.
func (s *Set) String(p *string, name, def, meaning string) {
	s.Func(name, def, meaning, func(v string) error { *p = v; return nil })
}

// Port binds a TCP port.
func (s *Set) Port(p *int, name, def, meaning string) {
	s.Func(name, def, meaning, func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 65535 {
			return errors.New("must be a number from 1 to 65535")
		}
		*p = n
		return nil
	})
}

// Int binds a whole number from lowest to highest.
func (s *Set) Int(p *int, name, def, meaning string, lowest, highest int) {
	s.Func(name, def, meaning, func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < lowest || n > highest {
			return fmt.Errorf("must be a number from %d to %d", lowest, highest)
		}
		*p = n
		return nil
	})
}

// Networks binds a list of networks, which may be empty.
func (s *Set) Networks(p *[]netip.Prefix, name, def, meaning string) {
	s.Func(name, def, meaning, func(v string) error {
		var networks []netip.Prefix
		for text := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				return errors.New("must be networks such as 10.0.0.0/8,fd00::/8")
			}
			networks = append(networks, network.Masked())
		}
		*p = networks
		return nil
	})
}

// OptionalPort binds a TCP port. The default is 0, none.
func (s *Set) OptionalPort(p *int, name, meaning string) {
	s.Port(p, name, "", meaning)
	last := &s.vars[len(s.vars)-1]
	parse := last.parse
	last.parse = func(v string) error {
		if *p = 0; v == "" {
			return nil
		}
		return parse(v)
	}
}

// Duration binds a length of time from lowest to highest.
func (s *Set) Duration(p *time.Duration, name, def, meaning string, lowest, highest time.Duration) {
	s.Func(name, def, meaning, func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < lowest || d > highest {
			return fmt.Errorf("must be a duration from %v to %v, such as 1m30s", lowest, highest)
		}
		*p = d
		return nil
	})
}

// URL binds the base URL of a service.
func (s *Set) URL(p **url.URL, name, def, meaning string) {
	s.Secret(name, def, meaning, func(v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u) || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("must be a URL such as http://orders-svc.api")
		}
		*p = u
		return nil
	})
}

// isHost reports whether the URL names a host, and a port that there can be.
func isHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	return u.Hostname() != ""
}

// Level binds a log level.
func (s *Set) Level(p *slog.Level, name, def, meaning string) {
	s.Func(name, def, meaning, func(v string) error {
		if p.UnmarshalText([]byte(v)) != nil {
			return errors.New("must be debug, info, warn or error")
		}
		return nil
	})
}

// ErrHelp is returned after -h: there is nothing to run.
var ErrHelp = errors.New("help was printed")

// Parse reads a program's arguments and then loads the environment. The only argument is
// -h.
func (s *Set) Parse(args []string, help io.Writer) error {
	if len(args) == 0 {
		return s.Load()
	}
	if args[0] != "-h" && args[0] != "-help" && args[0] != "--help" {
		return fmt.Errorf("it takes no arguments, got %q; -h lists the environment variables it reads", args)
	}
	if err := s.Usage(help); err != nil {
		return err
	}
	return ErrHelp
}

// Load reads every variable from the environment. An unset or empty variable
// has its default. All refusals are reported together.
func (s *Set) Load() error {
	var errs []error
	for _, v := range s.vars {
		value := os.Getenv(v.name)
		if value == "" {
			value = v.def
		}
		switch err := v.parse(value); {
		case err == nil:
		case v.secret:
			errs = append(errs, fmt.Errorf("%s: %w", v.name, err))
		default:
			errs = append(errs, fmt.Errorf("%s=%q: %w", v.name, value, err))
		}
	}
	return errors.Join(errs...)
}

// Usage prints the table that -h shows.
func (s *Set) Usage(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s: %s\n\nIt takes no arguments; it is configured by its environment:\n\n", s.name, s.about)
	fmt.Fprintf(t, "VARIABLE\tDEFAULT\tMEANING\n")
	for _, v := range s.vars {
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.name, v.def, v.meaning)
	}
	return t.Flush()
}
