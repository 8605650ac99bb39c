// Package postgres runs PostgreSQL as it is installed on this machine, in the
// place of a container of its official image or of Bitnami's: it is initialised
// once, with the user, password and database that the environment says.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/process"
)

// Server is a PostgreSQL to run.
type Server struct {
	Installed []Installation // the newest first
	Tag       string         // of the image, such as 15.3-alpine
	Words     []string       // command and arguments of the container, with local paths
	Env       map[string]string
	Port      int      // on loopback
	Data      string   // the data directory; a database that is there is kept
	Scripts   []Script // for a new database, in their order
	// State is the directory above Data that is ours: what is in it may be opened
	// to the user as whom the server runs.
	State string
	// Mounts are further directories and files below State that the server uses.
	Mounts []string
	Run    func(*exec.Cmd) error // runs a tool to its end
	Output io.Writer             // gets remarks, one line in each Write
}

// Script is a file below docker-entrypoint-initdb.d.
type Script struct{ Name, Path string }

// Arguments returns those of the server in a container's command and arguments.
// It fails if they call something else.
func Arguments(words []string) ([]string, error) {
	if len(words) > 0 && slices.Contains([]string{"docker-entrypoint.sh", "docker-ensure-initdb.sh"}, path.Base(words[0])) {
		words = words[1:]
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "-") {
		return words, nil
	}
	if path.Base(words[0]) != "postgres" {
		return nil, fmt.Errorf("its command %s is not the server", words[0])
	}
	return words[1:], nil
}

// Prepare makes the database if there is none, and returns the command of the
// server, which listens on loopback only, and the installation it is of.
func (s *Server) Prepare(ctx context.Context) (command process.Command, from Installation, err error) {
	arguments, err := Arguments(s.Words)
	if err != nil {
		return command, from, err
	}
	kept, err := version(s.Data)
	if err != nil {
		return command, from, err
	}
	from, found := choose(s.Installed, kept, major(s.Tag))
	if !found {
		return command, from, fmt.Errorf("the database in %s was made by PostgreSQL %d, which is not installed here: %s, or delete the directory to begin anew",
			s.Data, kept, howToInstall(kept))
	}
	user, err := process.Unprivileged("postgres", "nobody")
	if err != nil {
		return command, from, fmt.Errorf("PostgreSQL refuses to run as root: %w; add one", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.Data), 0o755); err != nil {
		return command, from, fmt.Errorf("making the directory of the database: %w", err)
	}
	if user, err = s.admit(user); err != nil {
		return command, from, err
	}
	tools := &tools{Server: s, installation: from, user: user}
	if kept == 0 {
		if err := tools.initialize(ctx); err != nil {
			return command, from, fmt.Errorf("making the database: %w", err)
		}
	}
	for _, path := range append([]string{s.Data}, s.Mounts...) {
		if err := user.Own(path); err != nil {
			return command, from, fmt.Errorf("giving %s to the user that runs PostgreSQL: %w", path, err)
		}
	}
	return process.Command{
		Path: from.program("postgres"), Args: append(slices.Clone(arguments), s.ours()...),
		Env: tools.env(), Dir: s.Data, User: user,
		// A SIGTERM would wait until all clients have left.
		Terminate: func(p *os.Process) { p.Signal(os.Interrupt) },
	}, from, nil
}

// admit returns the user as whom the server runs, who can reach its data.
func (s *Server) admit(user *process.User) (*process.User, error) {
	var refused error
	for _, path := range append([]string{s.Data}, s.Mounts...) {
		if refused = user.Admit(s.State, filepath.Dir(path)); refused != nil {
			break
		}
	}
	if refused == nil {
		return user, nil
	}
	inside, err := user.InNamespace()
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root: %w (%w); choose a directory that others may enter by --state", refused, err)
	}
	return inside, nil
}

// ours are the arguments that go before those of the manifests.
func (s *Server) ours() []string {
	return []string{
		"-D", s.Data, "-c", "data_directory=" + s.Data, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + strconv.Itoa(s.Port), "-c", "unix_socket_directories=",
	}
}

// version returns the major version of the database in a directory, 0 if there
// is none. It fails if there is something else.
func version(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err == nil {
		return major(strings.TrimSpace(string(content))), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("reading the database's version: %w", err)
	}
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("looking for a database: %w", err)
	}
	if len(entries) > 0 {
		return 0, fmt.Errorf("%s is not empty and holds no database of PostgreSQL: move away what is in it", data)
	}
	return 0, nil
}

// ClientEnv returns the variables by which psql, pg_isready and the like find
// the server.
func (s *Server) ClientEnv() (map[string]string, error) {
	settings, err := readSettings(s.Env)
	return map[string]string{
		"PGHOST": "127.0.0.1", "PGPORT": strconv.Itoa(s.Port), "PGPASSWORD": settings.password,
	}, err
}
