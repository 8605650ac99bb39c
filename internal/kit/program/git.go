package program

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// gitState is what templates may say about the repository around the code.
type gitState struct {
	branch, tag, short, full string
	commitDate               time.Time
	dirty                    bool
}

// readGit describes the repository that dir is in, as upstream's git.GetInfo
// does. Without git, a repository or a commit everything is empty.
func readGit(ctx context.Context, run func(*exec.Cmd) error, dir string) gitState {
	git := func(args ...string) ([]string, error) {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "log.showSignature=false"}, args...)...)
		var output strings.Builder
		cmd.Dir, cmd.Stdout = dir, &output
		err := run(cmd)
		return strings.Fields(output.String()), err
	}
	where, err := git("rev-parse", "--is-inside-work-tree", "--abbrev-ref", "HEAD")
	if err != nil || len(where) != 2 || where[0] != "true" {
		return gitState{}
	}
	commit, err := git("show", "--no-patch", "--format=%h %H %ct", "HEAD")
	if err != nil || len(commit) != 3 {
		return gitState{}
	}
	state := gitState{branch: where[1], short: commit[0], full: commit[1], tag: "v0.0.0"}
	if seconds, err := strconv.ParseInt(commit[2], 10, 64); err == nil {
		state.commitDate = time.Unix(seconds, 0)
	}
	changes, err := git("status", "--porcelain")
	state.dirty = err != nil || len(changes) > 0
	if tag, err := git("describe", "--tags", "--abbrev=0", "HEAD"); err == nil && len(tag) == 1 {
		state.tag = tag[0]
	}
	return state
}

// templateValue uses the names of upstream, which are those of GoReleaser.
func (g gitState) templateValue() map[string]any {
	treeState := "clean"
	if g.dirty {
		treeState = "dirty"
	}
	return map[string]any{
		"Branch":          g.branch,
		"Tag":             g.tag,
		"ShortCommit":     g.short,
		"FullCommit":      g.full,
		"CommitDate":      g.commitDate.UTC().Format(time.RFC3339),
		"CommitTimestamp": g.commitDate.UTC().Unix(),
		"IsDirty":         g.dirty,
		"IsClean":         !g.dirty,
		"TreeState":       treeState,
	}
}
