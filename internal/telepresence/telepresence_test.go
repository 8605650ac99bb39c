package telepresence_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/telepresence"
)

// What Telepresence 2.20.2 prints, but for members that nobody reads.
const (
	inContainer = `{"daemon":{"in_docker":true,"intercepts":[{"client":"root@vm","name":"payments-svc"}],"kubernetes_context":"koshop",
		"kubernetes_server":"https://192.0.2.2:6443","namespace":"api","running":true,"status":"Connected","version":"2.20.2"},
		"traffic_manager":{"name":"OSS Traffic Manager","version":"v2.20.2"}}`
	onHost = `{"root_daemon":{"running":true},"traffic_manager":{"version":"v2.20.2"},"user_daemon":{"kubernetes_context":"koshop",
		"kubernetes_server":"https://192.0.2.2:6443","namespace":"api","running":true,"status":"Connected","version":"2.20.2"}}`
	nowhere    = `{"root_daemon":{},"traffic_manager":{},"user_daemon":{}}`
	intercepts = `{"cmd":"list","stdout":[{"name":"payments-svc","namespace":"api","intercept_infos":[{"spec":{"name":"payments-svc","client":"root@vm",
		"agent":"payments-svc","namespace":"api","mechanism":"tcp","target_host":"127.0.0.1","target_port":8080,"service_name":"payments-svc"},
		"id":"1:payments-svc","disposition":1}]},{"name":"api-gateway","namespace":"api","intercept_infos":[{"spec":{"name":"gateway","namespace":"api",
		"target_host":"127.0.0.1","target_port":8088,"service_name":"api-gateway"},"disposition":7}]}]}`
)

// What Telepresence 2.31.0 prints in other words.
const (
	on231 = `{"user_daemon":{"version":"2.31.0","status":"Connected","kubernetes_context":"koshop","namespace":"api","running":true,"kubernetes_server":"https://192.0.2.2:6443"},
		"root_daemon":{"version":"v2.31.0","running":true},"traffic_manager":{"version":"v2.31.0"}}`
	intercepts231 = `{"cmd":"list","stdout":[{"name":"payments-svc","namespace":"api","intercept_info":[{"spec":{"name":"payments-svc","client":"root@vm",
		"namespace":"api","mechanism":"http","target_host":"127.0.0.1","service_name":"payments-svc","target_port":8080,"header_filters":{"x-attendee":"ada"}},
		"disposition":1}],"services":[{"name":"payments-svc"}]}]}`
)

// install puts a telepresence on PATH that is a script.
func install(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "telepresence"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
}

// prints puts a telepresence on PATH that prints this.
func prints(t *testing.T, output string) {
	t.Helper()
	install(t, "cat <<'EOF'\n"+output+"\nEOF\n")
}

// fails puts a telepresence on PATH that fails with these words.
func fails(t *testing.T, stderr string) {
	t.Helper()
	install(t, "cat >&2 <<'EOF'\n"+stderr+"\nEOF\nexit 1\n")
}

func TestStatus(t *testing.T) {
	connected := telepresence.Status{
		Running: true, State: "Connected", Version: "2.20.2",
		Server: "https://192.0.2.2:6443", Context: "koshop", Namespace: "api",
	}
	newer := connected
	newer.Version = "2.31.0"
	for output, want := range map[string]telepresence.Status{inContainer: connected, onHost: connected, nowhere: {}, on231: newer} {
		prints(t, output)
		got, err := telepresence.Read(t.Context())
		if err != nil || got != want || got.Connected() != want.Running {
			t.Errorf("%+v, error %v, want %+v", got, err, want)
		}
	}
}

func TestIntercepts(t *testing.T) {
	prints(t, intercepts)
	got, err := telepresence.Intercepts(t.Context())
	want := []telepresence.Intercept{
		{Name: "payments-svc", Client: "root@vm", Namespace: "api", Service: "payments-svc", Host: "127.0.0.1", Port: 8080, Active: true},
		{Name: "gateway", Namespace: "api", Service: "api-gateway", Host: "127.0.0.1", Port: 8088},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	prints(t, intercepts231)
	want = want[:1]
	want[0].Headers = map[string]string{"x-attendee": "ada"}
	if got, err := telepresence.Intercepts(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	for _, none := range []string{`{"cmd":"list","stdout":[]}`, `{"cmd":"list"}`} {
		prints(t, none)
		if got, err = telepresence.Intercepts(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("%+v, error %v, want none", got, err)
		}
	}
}

func TestVersion(t *testing.T) {
	prints(t, "OSS Client             : v2.20.2\nOSS Traffic Manager    : v2.20.1")
	if got, err := telepresence.Version(t.Context()); err != nil || got != "2.20.2" {
		t.Errorf("%q, error %v", got, err)
	}
}

func TestWhatIsNoTelepresence(t *testing.T) {
	prints(t, "bonjour")
	for name, call := range map[string]func() error{
		"status":  func() error { _, err := telepresence.Read(t.Context()); return err },
		"list":    func() error { _, err := telepresence.Intercepts(t.Context()); return err },
		"version": func() error { _, err := telepresence.Version(t.Context()); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "telepresence "+name+" printed something unexpected") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if err := telepresence.Leave(t.Context(), "x"); !errors.Is(err, telepresence.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestMakeSaysWhatIsWrong(t *testing.T) {
	for stderr, want := range map[string]string{
		"Warning: DNS doesn't seem to work properly\n" +
			"telepresence intercept: error: connector.CreateIntercept: workload \"payment-svc.api\" not found\n\n" +
			"See logs for details (1 error found): \"/home/ada/.cache/telepresence/logs/connector.log\"": `--http-header=baggage=attendee=ada: connector.CreateIntercept: workload "payment-svc.api" not found`,
		"telepresence intercept: error: connector.CreateIntercept: Failed to establish intercept: intercept in error state AGENT_ERROR: Conflicts with the currently-served intercept \"1:payments-svc\"": "somebody else intercepts payments-svc: ask them",
		"connector.CreateIntercept: conflict with intercept 1:payments-svc on port 80 created by client \"root@laptop2\": header filters overlap":                                                         "somebody else intercepts payments-svc: ask them",
		`telepresence intercept: error: connector.CreateIntercept: Intercept with name "payments-svc" already exists`:                                                                                     "this laptop has that intercept already",
		`connector.CreateIntercept: intercept with name "payments-svc" already exists`:                                                                                                                    "this laptop has that intercept already",
		"": "exit status 1",
	} {
		fails(t, stderr)
		err := telepresence.Make(t.Context(), telepresence.Request{Service: "payments-svc", Port: 8080, Header: "baggage=attendee=ada"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(want, "already") != errors.Is(err, telepresence.ErrExists) {
			t.Errorf("%s\nerror %v", stderr, err)
		}
	}
}

func TestNoIntercept(t *testing.T) {
	for stderr, want := range map[string]bool{
		`telepresence leave: error: Intercept named "payments-svc" not found`:                                                                                            true,
		"Command \"leave\" is deprecated, use \"telepresence detach\" instead\ntelepresence leave: error: Found no replace, intercept, or ingest named \"payments-svc\"": true,
		"telepresence leave: error: connector is not running":                                                                                                            false,
	} {
		if got := telepresence.NoIntercept(stderr); got != want {
			t.Errorf("%s: %t", stderr, got)
		}
	}
}

func TestPersonal(t *testing.T) {
	for version, want := range map[string]bool{"2.20.2": false, "2.24.1": false, "2.25.0": true, "2.31.0": true, "": false} {
		if got := telepresence.Personal(version); got != want {
			t.Errorf("%q: %t", version, got)
		}
	}
}
