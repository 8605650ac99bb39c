//go:build unix

package live

import (
	"debug/buildinfo"
	"errors"
	"fmt"
)

// fits returns an error if a version is not the image's program, or not for this
// machine. What cannot be told is left to be tried.
func (s *Supervisor) fits(v version) error {
	for _, d := range []Digest{v.Executable, v.Debugger} {
		if d == "" {
			continue
		}
		if err := s.store.check(d); err != nil {
			return fmt.Errorf("%s is incomplete: %w", v, err)
		}
	}
	if v.Executable == "" {
		return nil
	}
	image, err := builtFrom(s.Program)
	if err != nil {
		return nil
	}
	sent, err := builtFrom(s.store.path(v.Executable))
	if err != nil {
		return fmt.Errorf("%s is no Go program: %w", v, err)
	}
	if image != sent {
		return fmt.Errorf("this container runs %s, and what was sent is %s: check --selector and --platform", image, sent)
	}
	return nil
}

// origin is what an executable says of itself.
type origin struct{ main, goos, goarch string }

func (o origin) String() string { return fmt.Sprintf("%s for %s/%s", o.main, o.goos, o.goarch) }

func builtFrom(path string) (origin, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return origin{}, err
	}
	o := origin{main: info.Path}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOOS":
			o.goos = setting.Value
		case "GOARCH":
			o.goarch = setting.Value
		}
	}
	if o.main == "" {
		return o, errors.New("it does not say what it was built from")
	}
	return o, nil
}
