package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	upstream "github.com/google/ko/pkg/commands"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/koshop/koshop/internal/kit/cli"
	"github.com/koshop/koshop/internal/kit/kittest"
)

// Without -k every command is upstream's own: same output for the same call.
func TestWithoutKustomizeOutputIsUpstreams(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: builds images twice")
	}
	t.Setenv("KO_DOCKER_REPO", kittest.UseRegistry(t)+"/team")
	t.Chdir(guestbook)
	for _, args := range [][]string{
		{"build", "./cmd/web"},
		{"build", "--bare", "--sbom", "none", "./cmd/web", "./cmd/worker"},
		// One image only: upstream's concurrent pulls of a base image are a data race.
		{"resolve", "-f", "config/base/worker.yaml"},
		{"resolve", "-R", "-B", "-l", "app=worker", "-f", "config/base/worker.yaml"},
	} {
		ours := captureStdout(t, func(ctx context.Context) error { return cli.New(args).ExecuteContext(ctx) })
		theirs := captureStdout(t, func(ctx context.Context) error {
			root := upstream.New()
			root.SetArgs(args)
			return root.ExecuteContext(ctx)
		})
		if !sameLines(ours, theirs) || ours == "" {
			t.Errorf("ko %s printed\n%s\nupstream prints\n%s", strings.Join(args, " "), ours, theirs)
		}
	}
}

// Every command and flag of upstream is there, with its shorthand and default.
func TestUpstreamsCommandsAndFlagsAreKept(t *testing.T) {
	root := cli.New(nil)
	for _, theirs := range upstream.New().Commands() {
		ours, _, err := root.Find([]string{theirs.Name()})
		if err != nil {
			t.Errorf("command %s is missing: %v", theirs.Name(), err)
			continue
		}
		if diff := missingFlags(theirs, ours); diff != "" {
			t.Errorf("ko %s: %s", theirs.Name(), diff)
		}
	}
}

// sameLines compares without order: upstream prints several images in the
// order of a map.
func sameLines(a, b string) bool {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	slices.Sort(as)
	slices.Sort(bs)
	return slices.Equal(as, bs)
}

// captureStdout returns what run writes to the process's standard output, where
// upstream prints.
func captureStdout(t *testing.T, run func(context.Context) error) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = stdout }()
	printed := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(r) // Ends without an error when w is closed.
		printed <- all
	}()
	failed := run(t.Context())
	w.Close()
	if failed != nil {
		t.Fatal(failed)
	}
	return string(<-printed)
}

// missingFlags says which flags of a command another lacks or has otherwise.
func missingFlags(theirs, ours *cobra.Command) string {
	var diff string
	theirs.Flags().VisitAll(func(flag *pflag.Flag) {
		own := ours.Flags().Lookup(flag.Name)
		switch {
		case own == nil:
			diff += fmt.Sprintf("no flag --%s; ", flag.Name)
		case own.Shorthand != flag.Shorthand || own.DefValue != flag.DefValue || own.Usage != flag.Usage:
			diff += fmt.Sprintf("flag --%s differs; ", flag.Name)
		}
	})
	return diff
}
