//go:build unix

// Command live-reload stands in a pod between the kubelet and the program of an
// image, and replaces the program by executables that it is sent. See package
// supervisor, and package inject for how it gets into a pod.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/supervisor"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

const usage = `usage:
  live-reload install DIR                 copy this program into DIR
  live-reload run [flags] PROGRAM [ARG…]  run PROGRAM, or the only file in a
                                          directory, and what takes its place
  live-reload receive DIR                 read an executable from stdin and run it
`

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	switch {
	case len(args) == 2 && args[0] == "install":
		err = install(args[1])
	case len(args) == 2 && args[0] == "receive":
		err = supervisor.Receive(os.Stdin, os.Stdout, args[1])
	case len(args) > 1 && args[0] == "run":
		return supervise(args[1:])
	default:
		return showUsage()
	}
	if err != nil {
		code = 1
	}
	return code, err
}

func showUsage() (code int, err error) {
	fmt.Fprint(os.Stderr, usage)
	return 2, nil
}

// supervise runs the rest of the command line.
func supervise(args []string) (code int, err error) {
	flags := flag.NewFlagSet("live-reload run", flag.ContinueOnError)
	dir := flags.String("dir", wire.StoreDir, "the `directory` of the pod that keeps what is sent")
	newest := flags.String("newest", wire.RecordDir, "the `directory` with the version that a new pod begins with, if there is one")
	grace := flags.Duration("grace", 30*time.Second, "how long a version that is replaced may take to finish its requests and to end before it is killed")
	readyWithin := flags.Duration("ready-within", time.Minute, "how long a new version may take to be ready")
	container := flags.String("container", "{}", "what the manifests say of the container, as `JSON`: see wire.Container")
	if err := flags.Parse(args); err != nil {
		return 2, nil // It has been printed.
	}
	if flags.NArg() == 0 {
		return showUsage()
	}
	program, err := programAt(flags.Arg(0))
	if err != nil {
		return 1, err
	}
	s := &supervisor.Supervisor{
		Program: program, Args: flags.Args()[1:], Dir: *dir, Newest: *newest, Grace: *grace, ReadyWithin: *readyWithin, Log: os.Stderr,
	}
	if err := json.Unmarshal([]byte(*container), &s.Container); err != nil {
		return 2, fmt.Errorf("reading --container: %w", err)
	}
	if told := s.Container.GraceSeconds; told > 0 {
		s.Grace = time.Duration(told) * time.Second
	}
	if told := time.Duration(s.Container.ReadySeconds) * time.Second; told > s.ReadyWithin {
		s.ReadyWithin = told
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return 1, fmt.Errorf("making the directory that keeps what is sent: %w", err)
	}
	spareMemory()
	return s.Run()
}

// spareMemory keeps the supervisor small, whatever GOGC and GOMEMLIMIT are: those of
// the container are about its program.
func spareMemory() {
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(math.MaxInt64)
}

// programAt returns the only file in a directory, such as /ko-app in an image
// that ko built, or the path itself, or where PATH has a name.
func programAt(path string) (string, error) {
	if !strings.Contains(path, "/") {
		return exec.LookPath(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("looking for the program: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", fmt.Errorf("looking for the program: %w", err)
	}
	if len(entries) != 1 {
		return "", fmt.Errorf("%s holds %d files: name the program", path, len(entries))
	}
	return filepath.Join(path, entries[0].Name()), nil
}

// install copies this program, which the image of an init container has, to
// where the container of the service finds it.
func install(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	path := filepath.Join(dir, "live-reload")
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return to.Close()
}
