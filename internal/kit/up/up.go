// Package up runs the workloads of a kustomization as processes of this
// machine, with no cluster, and keeps them up to date with their source.
//
// A run is one loop (loop.go), which learns of changed files, of a kustomization
// rendered again (overlay.go) and of finished builds (reload.go), and tells the
// replicas of each workload which version to run (replicas.go). It knows
//
//	settings  what the file beside the kustomization says
//	state     the directory that outlives the run
//	builds    the executables, compiled anew when their source changes
//	replica   one replica: instances of a version that follow each other
//	routes    lead requests to the instances that are ready
//	board     shows people how it goes
//
// None of those knows the loop; replica knows routes, state and board.
package up

import (
	"context"
	"io"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/watch"
)

// Options say what to run and how.
type Options struct {
	Kustomization string // what -k takes
	Render        render.Options
	Workloads     []string // names of those to run; all when empty
	Build         *options.BuildOptions
	// Watch says how changed files are noticed. If it is "", the file of settings
	// beside the kustomization does, or it is [watch.Auto].
	Watch watch.Mode
	// Port is that of the front door on localhost. If it is 0, the file does, or
	// it is [DefaultPort].
	Port int
	// Env wins over the environment in the manifests, and over that of the file.
	Env map[string]string
	// Services says where Services that are not run here are, as host:port, by
	// name or name.namespace. The file may have more of them.
	Services map[string]string
	// Images says how images are run that are not built from Go; "" means not at all.
	Images backing.Mode
	// State is the directory that keeps volumes, executables and what the
	// processes write.
	State string
	Log   *progress.Log
	Out   io.Writer // gets what the programs print
	Err   io.Writer // gets what goes wrong with them
	// Colour tells the workloads apart in Out.
	Colour bool
}

// DefaultPort is that of the front door unless something else is asked for.
const DefaultPort = 8080

// Run runs the workloads until ctx ends; then it stops them all and returns
// nil. It fails only on what stands in the way of a start, such as a port that
// is taken: what goes wrong with a workload is shown, and corrected by a change
// of its files.
func Run(ctx context.Context, opts Options) error {
	l, err := newLoop(ctx, opts)
	defer l.close()
	if err != nil {
		return err
	}
	return l.run(ctx)
}
