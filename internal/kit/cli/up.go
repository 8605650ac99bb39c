package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/up"
	"github.com/koshop/koshop/internal/kit/up/settings"
	"github.com/koshop/koshop/internal/kit/watch"
)

const upLong = `This command renders a kustomization and runs its workloads as processes of this machine, without a cluster and
without building images: every Deployment, StatefulSet, DaemonSet, Pod and Job whose image is a ko:// reference, and databases
and the like by a program that this machine has, or else by its container engine. What is built from Go is compiled with the
settings of its image, gets the environment, arguments, files and volumes of its manifests, and listens on the port that PORT
names. All reach each other by the names of their Services.

When a file is saved that a program is made of, it is compiled again; the old process serves until the new one is ready.

Services are reached at http://SERVICE.NAMESPACE.localhost:8080, and the one that users face at http://localhost:8080. Another
port of a Service that speaks HTTP, such as metrics, is http://PORT.SERVICE.NAMESPACE.localhost:8080, by name or number. What
speaks only gRPC (grpc://127.0.0.1:24123, for grpcurl -plaintext 127.0.0.1:24123) or plain TCP (127.0.0.1:25432) has a port of
this machine, which is the same in every run if it is free. The table shows them all.

The hosts and paths of an Ingress are led there too: acme.example.com is http://acme.localhost:8080 where nothing else has that
name, else http://acme.example.com.localhost:8080, and any request whose Host is acme.example.com. Without a host, it is
http://localhost:8080.

Name workloads to run only those; the others are left to the network.

What is typed each time can stand in ko-up.yaml beside kustomization.yaml, for all who work on the overlay. Flags win over
it, and it is read again when it changes:

  port: 8081                           # as --port
  watch: poll                          # as --watch
  services: {postgres: 127.0.0.1:5432} # as --service
  workloads:
    payments-svc:
      env: {LOG_LEVEL: debug}          # wins over the manifests
      envFile: payments.env            # as --env-file, relative to this file; may be one that Git ignores`

const upExample = `
  # Run an overlay on this machine:
  ko up -k kustomize/overlays/dev

  # Run one workload of it, and reach PostgreSQL on this machine:
  ko up -k kustomize/overlays/staging payments-svc --service postgres=127.0.0.1:5432

  # Run the local side of an intercept:
  telepresence intercept payments-svc --port 8080 --env-file payments.env
  ko up -k kustomize/overlays/workshop payments-svc --env-file payments.env
`

// upFlags are the values of the flags of up.
type upFlags struct {
	opts     up.Options
	dir      *directoryFlag
	watch    watch.Mode
	services []string
	envFile  string
}

// addUp adds the command that needs no cluster.
func addUp(root *cobra.Command) {
	u := &upFlags{opts: up.Options{Build: &options.BuildOptions{Trimpath: true}, Images: backing.Auto}, watch: watch.Auto}
	cmd := &cobra.Command{
		Use:     "up -k DIRECTORY [WORKLOAD...]",
		Short:   "Run the workloads of a kustomization on this machine, and reload them on save.",
		Long:    upLong,
		Example: upExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := u.options(cmd, args)
			if err != nil {
				return err
			}
			return runUp(cmd, opts)
		},
	}
	addNamespace(cmd)
	addRenderFlags(cmd.Flags())
	u.add(cmd.Flags())
	root.AddCommand(cmd)
}

func (u *upFlags) add(flags *pflag.FlagSet) {
	u.dir = addDirectoryFlag(flags, "The kustomization directory, local or remote")
	flags.IntVar(&u.opts.Port, "port", 0, fmt.Sprintf("The port of the front door on localhost (default %d)", up.DefaultPort))
	flags.StringVar(&u.envFile, "env-file", "", "A file of NAME=VALUE lines, such as 'telepresence intercept --env-file' writes, that win over the manifests. For one workload")
	flags.StringArrayVar(&u.services, "service", nil, "SERVICE[.NAMESPACE]=HOST:PORT, where a Service is that is not run here (may be repeated)")
	flags.Var(&u.opts.Images, "images", "How images are run that are not built from Go: auto, by a program of this machine (PostgreSQL, Redis, Valkey, NATS) "+
		"or else by docker, podman or nerdctl; programs, by no container engine; or none")
	flags.Var(&u.watch, "watch", "How changed files are noticed: by events, or by polling, for file systems that do not report the changes "+
		"that others make (network file systems, folders that a virtual machine or WSL shares with its host). auto polls on those that it knows")
	flags.StringVar(&u.opts.State, "state", ".ko", "The directory that keeps volumes and executables")
	flags.BoolP("quiet", "q", false, "Show no progress, only errors and what the programs print")
	flags.IntVarP(&u.opts.Build.ConcurrentBuilds, "jobs", "j", 0, "The maximum number of concurrent builds (default GOMAXPROCS)")
	flags.StringSliceVar(&u.opts.Build.Ldflags, "ldflags", nil, "ldflags to pass to go build (may be repeated)")
	flags.BoolVar(&u.opts.Build.DisableOptimizations, "disable-optimizations", false, "Disable optimizations, for a debugger")
}

// options checks the flags. What was not given is left to the file of settings.
func (u *upFlags) options(cmd *cobra.Command, args []string) (opts up.Options, err error) {
	opts = u.opts
	if opts.Kustomization, opts.Workloads = u.dir.dir, args; !u.dir.set {
		return opts, needsDirectory("up", args)
	}
	if err := checkNamespace(cmd.Flag("namespace")); err != nil {
		return opts, err
	}
	if opts.Render, err = renderOptions(cmd); err != nil {
		return opts, err
	}
	if cmd.Flag("port").Changed && (opts.Port < 1 || opts.Port > 65535) {
		return opts, fmt.Errorf("--port %d: expected a port from 1 to 65535", opts.Port)
	}
	if cmd.Flag("watch").Changed {
		opts.Watch = u.watch
	}
	if opts.Services, err = parseServices(u.services); err != nil {
		return opts, err
	}
	opts.Env, err = readEnvFile(u.envFile, opts.Workloads)
	return opts, err
}

// needsDirectory says what to type, for a command that was called without -k.
func needsDirectory(command string, args []string) error {
	example := "kustomize/overlays/dev"
	if len(args) > 0 {
		if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
			example = args[0]
		}
	}
	return fmt.Errorf("ko %[1]s needs the directory of a kustomization: ko %[1]s -k DIRECTORY, such as ko %[1]s -k %[2]s", command, example)
}

func runUp(cmd *cobra.Command, opts up.Options) error {
	log := newProgress(cmd)
	defer log.Close()
	opts.Log, opts.Out, opts.Err = log, cmd.OutOrStdout(), cmd.ErrOrStderr()
	opts.Colour = colourful(opts.Out)
	ctx, stop := context.WithCancel(cmd.Context())
	restore := quitOnKey(ctx, os.Stdin, stop)
	err := up.Run(ctx, opts)
	stop()
	restore()
	return err
}

// colourful reports whether w shows colours: it is a terminal, and NO_COLOR is
// not set (https://no-color.org).
func colourful(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""
}

// parseServices reads NAME=HOST:PORT.
func parseServices(list []string) (map[string]string, error) {
	services := map[string]string{}
	for _, entry := range list {
		name, address, _ := strings.Cut(entry, "=")
		if err := settings.CheckAddress(address); err != nil || name == "" {
			return nil, fmt.Errorf("--service %q: expected SERVICE=HOST:PORT or SERVICE.NAMESPACE=HOST:PORT, such as postgres=127.0.0.1:5432", entry)
		}
		services[name] = address
	}
	return services, nil
}
