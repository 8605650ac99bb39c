package kustomize_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	// The garbage collector works harder as Go's memory comes near GOMEMLIMIT. The kernel
	// ends a container at its limit, which counts what Go does not: the sockets' buffers,
	// SQLite's memory, the program itself.
	leastPercent, mostPercent = 80, 90
	// leastMemory is a limit for which GOMEMLIMIT matters: a program with less is small.
	leastMemory = 128 << 20
)

// goMemory is a value of GOMEMLIMIT (https://pkg.go.dev/runtime) as it is used here.
var goMemory = regexp.MustCompile(`^\d+[KMG]iB$`)

// hasMemoryLimit fails unless GOMEMLIMIT fits the memory limit of a program of this
// repository.
func hasMemoryLimit(c corev1.Container) error {
	limit := c.Resources.Limits.Memory()
	if !strings.HasPrefix(c.Image, koScheme) || limit.Value() < leastMemory {
		return nil
	}
	i := slices.IndexFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == "GOMEMLIMIT" })
	if i < 0 || !goMemory.MatchString(c.Env[i].Value) {
		return errors.New("GOMEMLIMIT is not set to such as 224MiB")
	}
	given := resource.MustParse(strings.TrimSuffix(c.Env[i].Value, "B"))
	if percent := given.Value() * 100 / limit.Value(); percent < leastPercent || percent >= mostPercent {
		return fmt.Errorf("GOMEMLIMIT is %d %% of its memory limit, not %d to %d %%", percent, leastPercent, mostPercent)
	}
	return nil
}
