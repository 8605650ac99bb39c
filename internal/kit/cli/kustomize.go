package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

	ko "github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/pipeline"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/record"
	"github.com/koshop/koshop/internal/kit/reload/carrier"
	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/resolve"
	"github.com/koshop/koshop/internal/kit/reuse"
	"github.com/koshop/koshop/internal/kit/usercache"
)

// kustomizeLong begins what a command's help says of -k.
const kustomizeLong = "\n\nWith -k it renders a kustomization instead, without kubectl: every import path reference in it is built and published as " +
	"${KO_DOCKER_REPO}/<command name>, and the objects are "

const rebuildFlag, noRemoteFlag = "rebuild", "no-remote-record"

// addRecordFlags adds the flags that say whether an image whose inputs have not changed is
// built. They may go with -k only.
func addRecordFlags(flags *pflag.FlagSet, onlyWithK bool) {
	rebuild := "Build every image, even if nothing that it is made of has changed"
	noRemote := "Neither ask the registry for images that other machines have made of the same, nor keep a record there for them"
	if onlyWithK {
		rebuild = "With -k, render the kustomization and build every image, even if nothing that they are made of has changed"
		noRemote = "With -k, n" + noRemote[1:]
	}
	flags.Bool(rebuildFlag, false, rebuild)
	flags.Bool(noRemoteFlag, false, noRemote)
}

// addKustomize gives an upstream command, which has --namespace by now, the
// flag -k and makes it run kustomize when that flag is set.
func addKustomize(cmd *cobra.Command, kustomize func(cmd *cobra.Command, dir string, args []string) error) {
	directory := addDirectoryFlag(cmd.Flags(), "Process a kustomization directory, local or remote. Cannot be used together with -f")
	cmd.Flags().BoolP("quiet", "q", false, "With -k, show no progress, only results and errors")
	addRenderFlags(cmd.Flags())
	if cmd.Flags().Lookup("push") != nil { // It builds images.
		addRecordFlags(cmd.Flags(), true)
		onlyWithKustomize(cmd, rebuildFlag, noRemoteFlag)
	}
	cmd.Flag("namespace").Usage = namespaceUsage
	cmd.Use = strings.Replace(cmd.Use, " -f FILENAME", " (-f FILENAME | -k DIRECTORY)", 1)
	upstream := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("kustomize") {
			if cmd.Flags().Changed("quiet") {
				return errors.New("--quiet goes with -k")
			}
			if err := checkRenderFlags(cmd.Flags()); err != nil {
				return err
			}
			return upstream(cmd, args)
		}
		if cmd.Flags().Changed("filename") {
			return errors.New("-f and -k cannot be used together: pass files, or a kustomization directory")
		}
		if cmd.Flags().Changed("recursive") {
			return errors.New("--recursive goes with -f: a kustomization names its files itself")
		}
		if err := checkNamespace(cmd.Flag("namespace")); err != nil {
			return err
		}
		if n := beforeDash(cmd, args); n > 0 {
			return fmt.Errorf("unexpected argument %q: %s -k takes one directory", args[0], cmd.Name())
		}
		return kustomize(cmd, directory.dir, args)
	}
}

// beforeDash counts the arguments that stand before "--".
func beforeDash(cmd *cobra.Command, args []string) int {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return dash
	}
	return len(args)
}

// release runs the pipeline with the flags of an upstream command and returns
// the resolved manifests, and why images were built, by what they are deployed by. The
// cluster is connected to only to ask it for a registry.
func release(ctx context.Context, cmd *cobra.Command, dir string, connect connector, log *progress.Log) (*resolve.Manifests, map[string]string, error) {
	opts, err := renderOptions(cmd)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPipeline(ctx, cmd.Flags(), connect, log)
	if err != nil {
		return nil, nil, err
	}
	rebuild, _ := cmd.Flags().GetBool(rebuildFlag)
	opts.Cache = render.Cache{Directory: usercache.Of("rendered"), Renew: rebuild}
	p.Render = opts
	if live, _ := cmd.Flags().GetBool("live"); live {
		p.Change = injector(func(note string) { log.Printf("%s", note) }).Manifests
	}
	manifests, err := p.Run(ctx, dir)
	// A tarball or an OCI layout is only whole once the publisher is closed.
	if closed := p.Publisher.Close(); closed != nil && err == nil {
		err = fmt.Errorf("finishing the publication: %w", closed)
	}
	return manifests, p.Reasons, err
}

// addLive adds the flag that has the pods of a kustomization take new versions of their
// programs.
func addLive(cmd *cobra.Command) {
	cmd.Flags().Bool("live", false, "With -k, put the supervisor of live reload into every container with a ko:// image, for 'ko reload' to send new versions to; without it, it is taken out again")
	onlyWithKustomize(cmd, "live")
}

// newPipeline reads upstream's build, publish and selector flags.
func newPipeline(ctx context.Context, flags *pflag.FlagSet, connect connector, log *progress.Log) (*pipeline.Pipeline, error) {
	preferTime()
	publishing, building, selecting := &options.PublishOptions{}, &options.BuildOptions{}, &options.SelectorOptions{}
	own := &cobra.Command{}
	options.AddPublishArg(own, publishing)
	options.AddBuildOptions(own, building)
	options.AddSelectorArg(own, selecting)
	if err := copyFlags(flags, own.Flags()); err != nil {
		return nil, err
	}
	if err := options.Validate(publishing, building); err != nil {
		return nil, fmt.Errorf("validating options: %w", err)
	}
	selector, err := parseSelector(selecting.Selector)
	if err != nil {
		return nil, err
	}
	if verbose, _ := flags.GetBool("verbose"); !verbose {
		silence() // The pipeline reports progress itself.
	}
	if flags.Lookup(explainFlag) != nil { // Images of `ko build` have upstream's names.
		publishing.ImageNamer = options.MakeNamer(publishing)
	}
	publisher, advertised, err := newPublisher(ctx, publishing, onlyCompares(flags), connect, log)
	if err != nil {
		return nil, err
	}
	building.InsecureRegistry = publishing.InsecureRegistry
	settings, err := program.Load(building, (*exec.Cmd).Run)
	if err != nil {
		return nil, err
	}
	bases, err := base.New(ctx, settings.Options.InsecureRegistry)
	if err != nil {
		return nil, err
	}
	builder, err := build.New(ctx, settings, bases)
	if err != nil {
		return nil, err
	}
	supervised := &carrier.Builder{Builder: builder, Run: (*exec.Cmd).Run, Platforms: settings.ImagePlatforms()}
	if live, _ := flags.GetBool("live"); live {
		supervised.Built = keepForReload
	}
	rebuild, _ := flags.GetBool(rebuildFlag)
	noRemote, _ := flags.GetBool(noRemoteFlag)
	explain, _ := flags.GetBool(explainFlag)
	records, err := reuse.New(reuse.Options{
		Settings: settings, Bases: bases, Publisher: publisher, Rebuild: rebuild, Remote: !noRemote, ReadOnly: explain, Directory: record.UserDirectory(), Run: (*exec.Cmd).Run,
	})
	if err != nil {
		return nil, err
	}
	return &pipeline.Pipeline{
		Builder: supervised, Publisher: publisher, Registry: advertised, Records: carrier.Records{Records: records}, Selector: selector, Log: log,
	}, nil
}

// preferTime has the garbage collector run less often, which takes memory: of a run in
// which nothing has changed, it was a sixth of the time. The process ends with the run.
// GOGC says otherwise.
func preferTime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// keepForReload keeps the program of an image for what is sent first to differ from. It
// only saves time.
func keepForReload(importPath string, image ko.Result) {
	if executable, err := carrier.ExecutableOf(image); err == nil {
		_ = parcel.UserLibrary(importPath).Keep(executable)
	}
}

// copyFlags sets in to what was set in from. Upstream's commands keep the
// options behind their flags to themselves, so the same flags are declared once
// more, on options of our own.
func copyFlags(from, to *pflag.FlagSet) error {
	var failed error
	from.Visit(func(set *pflag.Flag) {
		flag := to.Lookup(set.Name)
		if flag == nil || failed != nil {
			return
		}
		if list, ok := set.Value.(pflag.SliceValue); ok {
			failed = flag.Value.(pflag.SliceValue).Replace(list.GetSlice())
			return
		}
		failed = flag.Value.Set(set.Value.String())
	})
	return failed
}

func parseSelector(text string) (labels.Selector, error) {
	if text == "" {
		return nil, nil
	}
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--selector %q: %w", text, err)
	}
	return selector, nil
}

// newProgress returns where a command shows progress; with --quiet, nowhere.
func newProgress(cmd *cobra.Command) *progress.Log {
	var w io.Writer
	if quiet, _ := cmd.Flags().GetBool("quiet"); !quiet {
		w = cmd.ErrOrStderr()
	}
	return progress.New(w)
}
