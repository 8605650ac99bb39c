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

// prints puts a telepresence on PATH that prints this.
func prints(t *testing.T, output string) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\ncat <<'EOF'\n" + output + "\nEOF\n"
	if err := os.WriteFile(filepath.Join(dir, "telepresence"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
}

func TestStatus(t *testing.T) {
	connected := telepresence.Status{
		Running: true, State: "Connected", Version: "2.20.2",
		Server: "https://192.0.2.2:6443", Context: "koshop", Namespace: "api",
	}
	for output, want := range map[string]telepresence.Status{inContainer: connected, onHost: connected, nowhere: {}} {
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
	prints(t, `{"cmd":"list","stdout":[]}`)
	if got, err = telepresence.Intercepts(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("%+v, error %v, want none", got, err)
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

func TestReason(t *testing.T) {
	stderr := "Warning: DNS doesn't seem to work properly\n" +
		"telepresence intercept: error: connector.CreateIntercept: workload \"payment-svc.api\" not found\n\n" +
		"See logs for details (1 error found): \"/home/ada/.cache/telepresence/logs/connector.log\"\n"
	if got := telepresence.Reason(stderr, nil).Error(); got != `connector.CreateIntercept: workload "payment-svc.api" not found` {
		t.Errorf("the reason is %q", got)
	}
	killed := errors.New("signal: killed")
	if got := telepresence.Reason("", killed); got != killed {
		t.Errorf("without output the reason is %q", got)
	}
}

func TestPersonal(t *testing.T) {
	for version, want := range map[string]bool{"2.20.2": false, "2.24.1": false, "2.25.0": true, "2.31.0": true, "": false} {
		if got := telepresence.Personal(version); got != want {
			t.Errorf("%q: %t", version, got)
		}
	}
}
