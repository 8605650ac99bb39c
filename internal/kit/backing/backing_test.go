package backing_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/kittest"
)

func TestPostgres(t *testing.T) {
	p := newPlace(t)
	scripts, table := p.directory("scripts"), filepath.Join(p.directory("table"), "table.sql")
	for file, sql := range map[string]string{
		filepath.Join(scripts, "b.sql"): "INSERT INTO words VALUES ('b');", table: "CREATE TABLE words (word text);",
	} {
		if err := os.WriteFile(file, []byte(sql), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	volume := p.directory("claims/data")
	program, stop := p.start(backing.Container{
		Image: "docker.io/library/postgres:15", Args: []string{"-c", "max_connections=33"},
		Env: map[string]string{
			"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "secret", "POSTGRES_INITDB_ARGS": "--no-sync",
			"PGDATA": filepath.Join(volume, "pgdata"), "PATH": "/only/in/the/image",
		},
		Ports: map[int32]int{5432: kittest.FreePort(t)},
		Mounts: []bind.Mount{
			{Inside: "/var/lib/postgresql/data", Here: volume}, {Inside: "/docker-entrypoint-initdb.d", Here: scripts},
			{Inside: "/docker-entrypoint-initdb.d/a.sql", Here: table},
		},
	})
	if !strings.HasPrefix(program.Origin, "postgresql ") {
		t.Errorf("it comes from %q", program.Origin)
	}
	p.answers(program, "pg_isready", "--host=127.0.0.1", "--username=shop", "--dbname=shop")
	p.answers(program, "/bin/sh", "-c", `exec pg_isready -U "$POSTGRES_USER" -h localhost -p 5432`)
	if got := p.answers(program, "psql", "-p5432", "-U", "shop", "-Atc", "SHOW max_connections"); got != "33" {
		t.Errorf("max_connections is %s", got)
	}
	stop()
	if _, err := os.Stat(filepath.Join(volume, "pgdata", "PG_VERSION")); err != nil {
		t.Errorf("the volume has no database: %v", err)
	}
}

func TestRedis(t *testing.T) {
	p := newPlace(t)
	volume, configuration := p.directory("claims/data"), p.directory("config")
	file := filepath.Join(configuration, "own.conf")
	if err := os.WriteFile(file, []byte("port 6379\nbind 0.0.0.0\nmaxmemory 7mb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	container := backing.Container{
		Image: "bitnami/redis:7.0", Command: []string{"redis-server"}, Args: []string{file, "--appendonly", "yes", "--port", "6379"},
		Env:    map[string]string{"REDIS_PASSWORD": `it's "secret"`},
		Mounts: []bind.Mount{{Inside: "/data", Here: volume}},
		Ports:  map[int32]int{6379: kittest.FreePort(t)},
	}
	program, stop := p.start(container)
	p.answers(program, "sh", "-c", "redis-cli -h localhost ping | grep PONG")
	if got := p.answers(program, "redis-cli", "-p", "6379", "config", "get", "maxmemory"); !strings.Contains(got, "7340032") {
		t.Errorf("its own configuration does not count: %q", got)
	}
	if got := p.answers(program, "redis-cli", "set", "word", "kept"); got != "OK" {
		t.Errorf("set: %q", got)
	}
	if got := p.answers(program, "redis-cli", "--no-auth-warning", "-a", "wrong", "get", "word"); !strings.Contains(got, "NOAUTH") && !strings.Contains(got, "WRONGPASS") {
		t.Errorf("a wrong password: %q", got)
	}
	if isOpen(container.Ports[6379]) {
		t.Error("others can reach it")
	}
	stop()
	program, _ = p.start(container)
	p.answers(program, "sh", "-c", "redis-cli ping | grep PONG") // It reads its data first.
	if got := p.answers(program, "redis-cli", "get", "word"); got != "kept" {
		t.Errorf("after a restart: %q", got)
	}
}

// isOpen reports whether a port is reached by another address than 127.0.0.1.
func isOpen(port int) bool {
	connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.2:%d", port), time.Second)
	if err == nil {
		connection.Close()
	}
	return err == nil
}

func TestNATS(t *testing.T) {
	p := newPlace(t)
	volume := p.directory("claims/data")
	ports := map[int32]int{4222: kittest.FreePort(t), 8222: kittest.FreePort(t)}
	p.start(backing.Container{
		Image: "nats:2-alpine", Args: []string{"-js", "-sd", filepath.Join(volume, "jetstream"), "-p", "4222", "-m", "8222"},
		Mounts: []bind.Mount{{Inside: "/data", Here: volume}}, Ports: ports,
	})
	for end := time.Now().Add(deadline); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[4222]))
		if err == nil {
			defer connection.Close()
			line, err := bufio.NewReader(connection).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "INFO ") || !strings.Contains(line, `"jetstream":true`) {
				t.Errorf("it answers %q (error %v)", line, err)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%v; it said\n%s", err, &p.said)
		}
	}
	if _, err := os.Stat(filepath.Join(volume, "jetstream", "jetstream")); err != nil {
		t.Errorf("it keeps nothing on its volume: %v", err)
	}
}

// Nothing on PATH, so that no engine answers.
func TestNoWay(t *testing.T) {
	p := newPlace(t)
	t.Setenv("PATH", t.TempDir())
	for _, test := range []struct {
		image   string
		command []string
		want    string
	}{
		{"minio/minio:latest", nil, "no program is known for it, and no container engine: docker, podman and nerdctl are not installed"},
		{"postgres:15", []string{"sh", "-c", "postgres"}, "its command sh is not the server, and no container engine"},
		{"redis:7", []string{"sh"}, "its command sh is not the server, and no container engine"},
		{"localhost:5000/acme/nats", []string{"nats", "bench"}, "its command nats is not the server, and no container engine"},
	} {
		_, err := p.finder.Find(context.Background(), test.image, test.command, nil)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.image, err, test.want)
		}
	}
	if _, err := exec.LookPath("podman"); err == nil {
		t.Fatal("the test has a PATH")
	}
}

// Bitnami's charts wait for a file beside the data, and state where that is in
// a configuration.
func TestBitnamisPostgres(t *testing.T) {
	p := newPlace(t)
	volume, configuration := p.directory("claims/data"), filepath.Join(p.directory("run/config"), "own.conf")
	settings := "data_directory = '/bitnami/postgresql/data'\nport = 5432\nmax_connections = 44\n"
	if err := os.WriteFile(configuration, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	program, _ := p.start(backing.Container{
		Image: "docker.io/bitnamilegacy/postgresql:16", Args: []string{"-c", "config_file=" + configuration},
		Env:   map[string]string{"POSTGRESQL_PASSWORD": "secret", "POSTGRESQL_DATABASE": "shop", "POSTGRES_INITDB_ARGS": "--no-sync"},
		Ports: map[int32]int{5432: kittest.FreePort(t)}, Mounts: []bind.Mount{
			{Inside: "/bitnami/postgresql", Here: volume}, {Inside: "/etc/own", Here: filepath.Dir(configuration)}, {Inside: "/host", Here: "/"},
		},
	})
	script := `exec pg_isready -U "postgres" -d "dbname=shop" -h 127.0.0.1 -p 5432 && [ -f ` + volume + `/.initialized ]`
	p.answers(program, "/bin/sh", "-c", "-e", strings.TrimPrefix(script, "exec "))
	if got := p.answers(program, "psql", "-U", "postgres", "-d", "shop", "-Atc", "SHOW max_connections"); got != "44" {
		t.Errorf("max_connections is %s", got)
	}
}

// A program of this machine goes before a container engine, which is asked only
// if it may be used.
func TestFindGoesByOrder(t *testing.T) {
	p := newPlace(t)
	if way, err := p.finder.Find(t.Context(), "nats:2", nil, nil); err == nil && !way.Local() {
		if _, err := exec.LookPath("nats-server"); err == nil {
			t.Error("nats-server is installed, and a container engine is to run it")
		}
	}
	programs := backing.NewFinder(t.Context(), backing.Programs, p.group, &p.said)
	defer programs.Close()
	if _, err := programs.Find(t.Context(), "minio/minio", nil, nil); err == nil || err.Error() != "no program is known for it" {
		t.Errorf("without an engine: %v", err)
	}
}
