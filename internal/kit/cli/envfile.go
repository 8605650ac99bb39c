package cli

import (
	"errors"
	"fmt"

	"github.com/koshop/koshop/internal/kit/up/settings"
)

// readEnvFile reads the environment of one workload.
func readEnvFile(path string, workloads []string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	if len(workloads) != 1 {
		return nil, errors.New("--env-file is the environment of one workload: name it")
	}
	env, err := settings.ReadEnv(path)
	if err != nil {
		return nil, fmt.Errorf("--env-file: %w", err)
	}
	return env, nil
}
