package backing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/backing/postgres"
)

// postgresWay runs PostgreSQL as it is installed.
type postgresWay struct {
	installed []postgres.Installation
	tag       string
	run       func(*exec.Cmd) error
}

func findPostgres(ctx context.Context, tag string, words []string, run func(*exec.Cmd) error) (Way, error) {
	if _, err := postgres.Arguments(words); err != nil {
		return nil, err
	}
	installed := postgres.Installed(ctx)
	if len(installed) == 0 {
		return nil, errors.New("PostgreSQL (initdb, postgres) is not installed")
	}
	return postgresWay{installed, tag, run}, nil
}

func (postgresWay) Local() bool { return true }

// initScripts is where the images look for what completes a new database.
const initScripts = "/docker-entrypoint-initdb.d"

func (w postgresWay) Prepare(ctx context.Context, c Container) (*Program, error) {
	scripts, err := c.scripts()
	if err != nil {
		return nil, err
	}
	server := postgres.Server{
		Installed: w.installed, Tag: w.tag, Words: c.words(), Env: c.Env, Port: c.port(postgresPort), Scripts: scripts,
		Data:  c.directory(c.Env["PGDATA"], c.Env["POSTGRESQL_DATA_DIR"], "/bitnami/postgresql/data", "/var/lib/postgresql/data"),
		State: c.State, Mounts: c.own(), Run: w.run, Output: c.Output,
	}
	command, from, err := server.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.markInitialized(server.Data); err != nil {
		return nil, err
	}
	client, err := server.ClientEnv()
	if err != nil {
		return nil, err
	}
	return &Program{
		Origin: from.String(), Command: command,
		Exec: c.exec(from.Bin, c.environment(from.Bin, client), func(word string) string { return word }),
	}, nil
}

// own returns the mounts below the state directory.
func (c Container) own() []string {
	var paths []string
	for _, m := range c.Mounts {
		if isBelow(m.Here, c.State, string(filepath.Separator)) {
			paths = append(paths, m.Here)
		}
	}
	return paths
}

// markInitialized makes the file for which the probes of Bitnami's charts look.
func (c Container) markInitialized(data string) error {
	if !isBitnami(c.Image) {
		return nil
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(data), ".initialized"), nil, 0o644); err != nil {
		return fmt.Errorf("saying that the database is there: %w", err)
	}
	return nil
}

// scripts returns the files that are mounted for a new database, sorted by
// their names.
func (c Container) scripts() ([]postgres.Script, error) {
	var scripts []postgres.Script
	for _, m := range c.Mounts {
		if path.Dir(m.Inside) == initScripts {
			scripts = append(scripts, postgres.Script{Name: path.Base(m.Inside), Path: m.Here})
		}
		if path.Clean(m.Inside) != initScripts {
			continue
		}
		entries, err := os.ReadDir(m.Here)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				scripts = append(scripts, postgres.Script{Name: entry.Name(), Path: filepath.Join(m.Here, entry.Name())})
			}
		}
	}
	slices.SortFunc(scripts, func(a, b postgres.Script) int { return strings.Compare(a.Name, b.Name) })
	return scripts, nil
}
