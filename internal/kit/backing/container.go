package backing

import (
	"context"

	"github.com/koshop/koshop/internal/kit/backing/engine"
)

// container runs images by a container engine.
type container struct{ engine *engine.Engine }

func (container) Local() bool { return false }

func (w container) Prepare(_ context.Context, c Container) (*Program, error) {
	running, err := w.engine.Container(engine.Container{
		Name: c.Name, Hostname: c.Hostname, Image: c.Image, Command: c.Command, Args: c.Args, Env: c.Env, Dir: c.WorkingDir,
		User: c.User, Ports: c.Ports, Mounts: c.Mounts, Grace: c.Grace, Private: c.Private,
	})
	if err != nil {
		return nil, err
	}
	return &Program{Origin: w.engine.String(), Command: running.Command, Exec: running.Exec}, nil
}
