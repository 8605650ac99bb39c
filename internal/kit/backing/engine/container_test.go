package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/process"
)

func TestContainer(t *testing.T) {
	e := start(t)
	t.Setenv("ONLY_IN_THE_SHELL", "must stay there")
	group, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	dir := t.TempDir()
	c := newContainer(t, dir)
	running, err := e.Container(c)
	if err != nil {
		t.Fatal(err)
	}
	said := &output{}
	running.Command.Output = said
	p, err := group.Start(running.Command)
	if err != nil {
		t.Fatal(err)
	}
	var saw map[string]string
	eventually(t, "an answer", func() error {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d", c.Ports[8080]))
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return errors.Join(err, json.Unmarshal(text, &saw))
	})
	for name, want := range map[string]string{
		"args": "[of the manifests]", "plain": c.Env["PLAIN"], "home": "/nonexistent", "shell": "", "file": "from the Secret",
		"errors": "<nil> <nil>", "host": "web-0", "dir": "/data", "uid": "1234",
	} {
		if saw[name] != want {
			t.Errorf("%s: the container saw %q, want %q", name, saw[name], want)
		}
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "volume", "written")); string(kept) != "by the container" {
		t.Errorf("the volume has %q (error %v)", kept, err)
	}
	if err := running.Exec(t.Context(), []string{"/program", "check"}).Run(); err != nil {
		t.Errorf("a command in the container: %v", err)
	}
	if err := running.Exec(t.Context(), []string{"/program", "check", "fails"}).Run(); err == nil {
		t.Error("a command that fails in the container does not fail here")
	}
	p.Stop(deadline)
	if state := p.State(); state.Code != 7 || !strings.Contains(said.String(), "asked to end") {
		t.Errorf("it ended with %v and said %q", state, said)
	}
	eventually(t, "the removal of the container", func() error { return e.isGone(t.Context()) })
}

func TestCommandLine(t *testing.T) {
	e := &Engine{kind: kinds[0], path: "/usr/bin/docker", label: "host/1/2"}
	t.Setenv("DOCKER_HOST", "unix:///run/docker.sock")
	private := t.TempDir()
	running, err := e.Container(Container{
		Name: "db", Image: "postgres:15", Command: []string{"sh", "-c"}, Args: []string{"true"}, Private: private,
		Env: map[string]string{"PASSWORD": "hidden", "DOCKER_HOST": "hidden too"}, Ports: map[int32]int{5432: 1, 80: 2},
		Mounts: []bind.Mount{{Inside: "/a", Here: `/with,comma and "quotes"`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Join(running.Command.Args, " ")
	for _, want := range []string{
		"run --rm --pull=missing --name=ko-up-", "--label=koshop.ko-up=host/1/2",
		" --publish=127.0.0.1:2:80 --publish=127.0.0.1:1:5432 ", ` --mount=type=bind,"source=/with,comma and ""quotes""",target=/a `,
		" --env=PASSWORD --env-file=" + private + "/env --entrypoint=sh postgres:15 -c true",
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	if strings.Contains(line, "hidden") {
		t.Errorf("a value is on the command line: %q", line)
	}
	if env := running.Command.Env; !slices.Contains(env, "PASSWORD=hidden") || !slices.Contains(env, "DOCKER_HOST=unix:///run/docker.sock") {
		t.Errorf("the command line has the variables %q", env)
	}
	if file, err := os.ReadFile(filepath.Join(private, "env")); string(file) != "DOCKER_HOST=hidden too\n" {
		t.Errorf("the file has %q (error %v)", file, err)
	}
	if _, err := e.Container(Container{Env: map[string]string{"HOME": "a\nb"}, Private: private}); err == nil || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("a variable that cannot be passed: %v", err)
	}
}
