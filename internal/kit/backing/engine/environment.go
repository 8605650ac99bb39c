package engine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The command lines of the engines heed these variables themselves.
var (
	heeded         = []string{"PATH", "HOME", "USER", "TMPDIR", "PWD", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK", "GODEBUG"}
	heededPrefixes = []string{"DOCKER", "CONTAINER", "PODMAN", "BUILDAH", "BUILDKIT", "NERDCTL", "STORAGE", "XDG_", "LD_", "OTEL_", "GO"}
)

// isHeeded reports whether the value for the container must not reach the
// engine's command line.
func isHeeded(name string) bool {
	return slices.Contains(heeded, name) || strings.HasSuffix(strings.ToLower(name), "_proxy") ||
		slices.ContainsFunc(heededPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// variables returns the arguments that give the container its variables, and
// the environment of the command line, from which it takes them. The variables
// that mean something to the command line itself go by a file.
func (c Container) variables() (args, env []string, err error) {
	env = os.Environ()
	var file strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		value := c.Env[name]
		if !isHeeded(name) {
			args, env = append(args, "--env="+name), append(env, name+"="+value)
			continue
		}
		if strings.ContainsAny(value, "\r\n") {
			return nil, nil, fmt.Errorf("variable %s has more than one line, which cannot be passed to a container of this name", name)
		}
		fmt.Fprintf(&file, "%s=%s\n", name, value)
	}
	if file.Len() == 0 {
		return args, env, nil
	}
	path := filepath.Join(c.Private, "env")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		return nil, nil, fmt.Errorf("writing the container's variables: %w", err)
	}
	return append(args, "--env-file="+path), env, nil
}
