package doctor

import (
	"context"
	"os/exec"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/report"
)

// The versions that the workshop was verified with.
const (
	tiltVersion         = "v0.37.6"
	telepresenceVersion = "v2.20.2"
)

// curlVersion is the first that has --json.
const curlVersion = "v7.82.0"

func tools() []report.Step {
	return []report.Step{
		{Name: "go", Look: lookAtGo},
		{Name: "git", Look: lookFor("git", "install it: https://git-scm.com/downloads")},
		{Name: "make", Look: lookFor("make", "install it, on Debian by apt-get install make, on macOS by xcode-select --install")},
		{Name: "curl", Look: lookAtCurl},
		{Name: "kubectl", Look: lookAtKubectl},
		{Name: "tilt", Look: lookAtTilt},
		{Name: "telepresence", Look: lookAtTelepresence},
	}
}

// lookAtGo compares with the version that go.mod asks for. The go tool could
// fetch that one, but not without a network.
func lookAtGo(ctx context.Context) report.Finding {
	const next = "install it: https://go.dev/dl"
	if _, err := exec.LookPath("go"); err != nil {
		return report.Fail(next, "go is not on PATH")
	}
	wanted, err := run(ctx, []string{"GOTOOLCHAIN=local"}, "go", "list", "-m", "-f={{.GoVersion}}", "github.com/koshop/koshop")
	if err != nil {
		return report.Fail("run it in the repository of the workshop, with the Go that its go.mod asks for", "%v", err)
	}
	has, err := run(ctx, []string{"GOTOOLCHAIN=local"}, "go", "env", "GOVERSION")
	if err != nil {
		return report.Fail(next, "%v", err)
	}
	if older("v"+strings.TrimPrefix(has, "go"), "v"+wanted) {
		return report.Fail(next, "%s, and go.mod asks for %s", has, wanted)
	}
	return report.Pass("%s", has)
}

func lookFor(program, next string) func(context.Context) report.Finding {
	return func(context.Context) report.Finding {
		path, err := exec.LookPath(program)
		if err != nil {
			return report.Fail(next, "%s is not on PATH", program)
		}
		return report.Pass("%s", path)
	}
}

func lookAtCurl(ctx context.Context) report.Finding {
	const next = "install it: https://curl.se/download.html"
	if _, err := exec.LookPath("curl"); err != nil {
		return report.Fail(next, "curl is not on PATH")
	}
	printed, err := run(ctx, nil, "curl", "--version") // curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 …
	if err != nil {
		return report.Fail(next, "%v", err)
	}
	_, version, _ := strings.Cut(printed, " ")
	version, _, _ = strings.Cut(version, " ")
	if older("v"+version, curlVersion) {
		return report.Warn("update it, or write --header 'Content-Type: application/json' --data for --json", "%s, and --json came with %s", version, curlVersion)
	}
	return report.Pass("%s", version)
}

func lookAtKubectl(context.Context) report.Finding {
	path, err := exec.LookPath("kubectl")
	if err != nil {
		return report.Warn("for chapters users, products, deploy, payments, gateway, class and preview, install it: https://kubernetes.io/docs/tasks/tools",
			"kubectl is not on PATH")
	}
	return report.Pass("%s", path)
}

func lookAtTilt(ctx context.Context) report.Finding {
	const next = "for chapters users and products, install it: https://docs.tilt.dev/install.html"
	if _, err := exec.LookPath("tilt"); err != nil {
		return report.Warn(next, "tilt is not on PATH")
	}
	printed, err := run(ctx, nil, "tilt", "version") // v0.37.6, built 2026-09-01
	if err != nil {
		return report.Warn(next, "%v", err)
	}
	version, _, _ := strings.Cut(printed, ",")
	return atLeast(version, tiltVersion, next)
}

func lookAtTelepresence(ctx context.Context) report.Finding {
	const next = "for chapters connect, payments, gateway, duplicate and class, install it: https://telepresence.io/docs/install/client"
	version, err := telepresence.Version(ctx)
	if err != nil {
		return report.Warn(next, "%v", err)
	}
	return atLeast("v"+version, telepresenceVersion, next)
}

func atLeast(version, verified, next string) report.Finding {
	if older(version, verified) {
		return report.Warn(next, "%s, and the workshop was verified with %s", version, verified)
	}
	return report.Pass("%s", version)
}

// older compares versions, and takes one without a tag for its next tag. What is
// no version is older than any.
func older(version, than string) bool {
	return semver.Compare(strings.TrimSuffix(version, semver.Prerelease(version)), than) < 0
}
