package settings

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// ReadEnv reads what `telepresence intercept --env-file` writes, which is for
// `docker run --env-file`: lines of NAME=VALUE, in which VALUE is taken as it
// stands, blank lines, and comments.
func ReadEnv(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	env := map[string]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimLeft(lines.Text(), " \t")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || name == "" || strings.ContainsAny(name, " \t\"'") {
			return nil, fmt.Errorf("%s, line %d: expected NAME=VALUE", path, n)
		}
		env[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return env, nil
}

// CheckAddress refuses what is not HOST:PORT.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return errors.New("expected HOST:PORT, such as 127.0.0.1:5432")
	}
	return nil
}
