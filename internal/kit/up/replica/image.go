package replica

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/process"
)

// isLocal reports whether a program of this machine runs in the place of a
// container.
func (h *host) isLocal(c corev1.Container) bool {
	way, err := h.Finder.Find(context.Background(), c.Image, c.Command, c.Args)
	return err == nil && way.Local()
}

// startContainer starts the program of a container, which prints to output, and
// returns how commands are run in its place.
func (h *host) startContainer(ctx context.Context, i *instance, c pod.Container, output io.Writer) (*process.Process, probe.Exec, error) {
	if c.Image == nil {
		p, err := h.startProgram(c, output)
		return p, h.exec(c), err
	}
	program, err := h.prepare(ctx, i, c)
	if err != nil {
		return nil, nil, fmt.Errorf("container %s: %w", c.Name, err)
	}
	h.row.ComesFrom(program.Origin)
	program.Command.Output = output
	p, err := h.Group.Start(program.Command)
	return p, h.runner(program.Exec), err
}

// prepare makes what the container of an image needs.
func (h *host) prepare(ctx context.Context, in *instance, c pod.Container) (*backing.Program, error) {
	i := c.Image
	way, err := h.Finder.Find(ctx, i.Name, i.Command, i.Args)
	if err != nil {
		return nil, err
	}
	private := filepath.Join(in.dir, "private", c.Name)
	if err := os.MkdirAll(private, 0o700); err != nil {
		return nil, fmt.Errorf("making its directory: %w", err)
	}
	return way.Prepare(ctx, backing.Container{
		Name: in.pod.Name + "-" + c.Name, Hostname: in.pod.Name, Image: i.Name, Command: i.Command, Args: i.Args, Env: i.Env,
		Inherited: environment.Entries(environment.Inherited()), WorkingDir: i.WorkingDir, User: i.User,
		Ports: c.Ports, Mounts: i.Mounts, Grace: in.pod.Grace, State: h.State.Path(), Private: private, Output: h.output(c.Name),
	})
}
