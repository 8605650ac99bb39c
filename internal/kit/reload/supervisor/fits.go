//go:build unix

package supervisor

import (
	"debug/buildinfo"
	"errors"
	"fmt"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// fits returns an error if a build is not the image's program, or not for this
// machine. What cannot be told is left to be tried.
func (s *Supervisor) fits(b wire.Build) error {
	for _, d := range []wire.Digest{b.Executable, b.Debugger} {
		if d != "" && !s.store.has(d) {
			return fmt.Errorf("%s is incomplete: %s is not here", b, d)
		}
	}
	if b.Executable == "" {
		return nil
	}
	image, err := builtFrom(s.Program)
	if err != nil {
		return nil
	}
	sent, err := builtFrom(s.store.path(b.Executable))
	if err != nil {
		return fmt.Errorf("%s is no Go program: %w", b, err)
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
