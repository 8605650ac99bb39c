package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sysctls are kernel settings by their name with slashes, as under /proc/sys.
type Sysctls map[string]string

// ReadSysctls returns the present values of those names this kernel knows.
func ReadSysctls(names ...string) (Sysctls, error) {
	values := Sysctls{}
	for _, name := range names {
		data, err := os.ReadFile(sysctlFile(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		values[name] = strings.TrimSpace(string(data))
	}
	return values, nil
}

// Apply sets the values that differ. A name the kernel no longer knows is passed over.
func (s Sysctls) Apply() error {
	var problems []error
	for name, value := range s {
		now, err := ReadSysctls(name)
		if err == nil && now[name] != value && len(now) > 0 {
			// Written only when it differs: writing ip_forward, even the value it has, may reset other settings.
			err = os.WriteFile(sysctlFile(name), []byte(value), 0o644)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("setting %s to %q: %w", name, value, err))
		}
	}
	return errors.Join(problems...)
}

func sysctlFile(name string) string {
	return filepath.Join("/proc/sys", name)
}
