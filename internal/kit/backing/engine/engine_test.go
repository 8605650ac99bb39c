package engine

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// The command line of Docker without its daemon is no engine, nor is one of
// another machine.
func TestAnswers(t *testing.T) {
	docker := kinds[0]
	path, err := exec.LookPath(docker.name)
	if err != nil {
		t.Skip("docker is not on PATH")
	}
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "docker.sock"))
	if err := docker.answers(t.Context(), path); err == nil {
		t.Error("it counts without a daemon")
	}
	if isHere("192.168.49.2") || !isHere("") {
		t.Error("this machine is taken for another, or another for this")
	}
}
