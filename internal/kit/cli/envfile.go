package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
)

// readEnvFile reads what `telepresence intercept --env-file` writes, which is
// for `docker run --env-file`: lines of NAME=VALUE, in which VALUE is taken as it
// stands, blank lines, and comments.
func readEnvFile(path string, workloads []string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	if len(workloads) != 1 {
		return nil, errors.New("--env-file is the environment of one workload: name it")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading --env-file: %w", err)
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
			return nil, fmt.Errorf("--env-file %s, line %d: expected NAME=VALUE", path, n)
		}
		env[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading --env-file %s: %w", path, err)
	}
	return env, nil
}
