package wire

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/probe"
)

const (
	// DirFlag is the flag by which the supervisor is told where it keeps what is sent.
	DirFlag = "--dir"
	// containerFlag is the flag by which it is told of its container.
	containerFlag = "--container"
)

// Container is what the manifests of a pod say of a container, for its supervisor.
type Container struct {
	// Program is the import path of what it runs, as its image reference has it.
	Program string `json:"program,omitempty"`
	// Ports are those that the program listens on and that it is told of, by the
	// variable PORT, other variables or arguments: it can be told of others instead.
	Ports []int32 `json:"ports,omitempty"`
	// PORT is the one of Ports that the variable PORT is about, 0 if there is none.
	PORT int32 `json:"PORT,omitempty"`
	// Fixed are the ports that the program listens on whatever it is told, so that no
	// two versions of it can run beside each other.
	Fixed []int32 `json:"fixed,omitempty"`
	// MayNotListen tells that the program may be a worker, which listens nowhere.
	MayNotListen bool `json:"mayNotListen,omitempty"`
	// GraceSeconds is how long a version may take to finish and to end once it is
	// replaced, 0 for the default.
	GraceSeconds int64 `json:"graceSeconds,omitempty"`
	// ReadySeconds is how long a version may take to be ready, 0 for the default.
	ReadySeconds int64 `json:"readySeconds,omitempty"`
	// Readiness is the probe that says when a version is ready; nil if there is none.
	Readiness *probe.Probe `json:"readiness,omitempty"`
}

// Arguments returns how the command of a container says this to its supervisor.
// Kubernetes expands references to variables in a command.
func (c Container) Arguments() ([]string, error) {
	text, err := json.Marshal(c)
	return []string{containerFlag, strings.ReplaceAll(string(text), "$", "$$")}, err
}

// ReadCommand returns what the command of a container in a manifest says to its
// supervisor, and reports false if it says nothing that can be read.
func ReadCommand(command []string) (c Container, ok bool) {
	i := slices.Index(command, containerFlag)
	if i < 0 || i+1 == len(command) {
		return c, false
	}
	err := json.Unmarshal([]byte(strings.ReplaceAll(command[i+1], "$$", "$")), &c)
	return c, err == nil
}

// StoreOf returns the directory that keeps what is sent to a container with a command.
func StoreOf(command []string) string {
	if i := slices.Index(command, DirFlag); i >= 0 && i+1 < len(command) {
		return command[i+1]
	}
	return StoreDir
}
