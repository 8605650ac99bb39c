package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/koshop/koshop/internal/kit/delve"
	"github.com/koshop/koshop/internal/workshop/report"
)

func (l Laptop) offline() []report.Step {
	return []report.Step{
		{Name: "modules", Look: lookAtModules},
		{Name: "build", Needs: []string{"modules"}, Look: lookAtBuild},
		{Name: "debugger", Look: l.lookAtDelve},
	}
}

// offline makes the go tool do without a network.
var offline = []string{"GOPROXY=off", "GOFLAGS=-mod=readonly"}

func lookAtModules(ctx context.Context) report.Finding {
	packages, err := run(ctx, offline, "go", "list", "-deps", "github.com/koshop/koshop/cmd/...")
	if err != nil {
		return report.Fail("go mod download, in the repository of the workshop", "%v", err)
	}
	return report.Pass("the sources of %d packages are here", len(strings.Split(packages, "\n")))
}

// lookAtBuild builds what chapters begin with, and so fills the build cache.
func lookAtBuild(ctx context.Context) report.Finding {
	scratch, err := os.MkdirTemp("", "workshop-doctor-*")
	if err != nil {
		return report.Fail("", "%v", err)
	}
	defer os.RemoveAll(scratch)
	args := []string{"build", "-o", scratch}
	for _, program := range []string{"ko", "user-svc", "product-svc", "orders-svc", "payments-starter", "payments-svc", "api-gateway"} {
		args = append(args, "github.com/koshop/koshop/cmd/"+program)
	}
	if _, err := run(ctx, offline, "go", args...); err != nil {
		return report.Fail("see what go build ./cmd/... says", "%v", err)
	}
	if _, err := run(ctx, nil, filepath.Join(scratch, "ko"), "version"); err != nil {
		return report.Fail("see what go run ./cmd/ko version says", "ko does not run: %v", err)
	}
	return report.Pass("ko and the services compile, from now on in seconds")
}

// lookAtDelve looks for the debugger that runs in the cluster's pods.
func (l Laptop) lookAtDelve(ctx context.Context) report.Finding {
	goos, goarch := "linux", "amd64"
	if c, err := l.Connect(); err == nil {
		if version, err := c.Version(ctx); err == nil {
			goos, goarch, _ = strings.Cut(version.Platform, "/")
		}
	}
	path, err := delve.Command.Cached(goos, goarch)
	if err != nil {
		return report.Warn("to debug in the cluster, run `tilt up -- --debug=user-svc` once while there is a network", "Delve %s for %s/%s is not compiled yet", delve.Version, goos, goarch)
	}
	return report.Pass("%s", path)
}
