//go:build unix

package intercept

import (
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
)

func TestRunWithoutTelepresence(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Run(t.Context(), Options{Service: "payments-svc", Port: 8080, Out: io.Discard})
	if err == nil || !strings.HasPrefix(err.Error(), "telepresence is not on PATH: install it") {
		t.Errorf("error %v", err)
	}
}

// What follows is taken from what Telepresence 2.20.2 prints.

func TestIsConnected(t *testing.T) {
	for name, test := range map[string]struct {
		status string
		want   bool
	}{
		"two daemons":      {`{"root_daemon":{"running":true},"user_daemon":{"namespace":"api","running":true,"status":"Connected"}}`, true},
		"in a container":   {`{"daemon":{"in_docker":true,"namespace":"api","running":true,"status":"Connected"}}`, true},
		"no connection":    {`{"root_daemon":{"running":true},"user_daemon":{"running":true,"status":"Not connected"}}`, false},
		"no daemon":        {`{"root_daemon":{},"traffic_manager":{"name":"","traffic_agent":"","version":""},"user_daemon":{}}`, false},
		"something else":   {`OSS User Daemon: Running`, false},
		"nothing whatever": {``, false},
	} {
		if got := isConnected([]byte(test.status)); got != test.want {
			t.Errorf("%s: connected is %t, want %t", name, got, test.want)
		}
	}
}

func TestIntercepts(t *testing.T) {
	for name, test := range map[string]struct {
		list string
		want []spec
	}{
		"none": {`{"cmd":"list","stdout":[]}`, nil},
		"one": {`{"cmd":"list","stdout":[{"name":"payments-svc","namespace":"api","intercept_infos":[{"spec":{"name":"payments-svc","client":"ada@laptop","target_host":"127.0.0.1","target_port":8080}}]}]}`,
			[]spec{{Name: "payments-svc", TargetPort: 8080}}},
	} {
		if got, err := intercepts([]byte(test.list)); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v (error %v), want %v", name, got, err, test.want)
		}
	}
	if _, err := intercepts([]byte("No Workloads")); err == nil {
		t.Error("what is no JSON is taken for a list")
	}
}

func TestReason(t *testing.T) {
	stderr := "Warning: DNS doesn't seem to work properly\n" +
		"telepresence intercept: error: connector.CreateIntercept: workload \"payment-svc.api\" not found\n\n" +
		"See logs for details (1 error found): \"/home/ada/.cache/telepresence/logs/connector.log\"\n"
	if got := reason(stderr, nil); got != `connector.CreateIntercept: workload "payment-svc.api" not found` {
		t.Errorf("the reason is %q", got)
	}
	if got := reason("", errors.New("signal: killed")); got != "signal: killed" {
		t.Errorf("without output the reason is %q", got)
	}
}

func TestListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if !listens(port) {
		t.Error("a port with a listener is taken for free")
	}
	listener.Close()
	if listens(port) {
		t.Error("a port without a listener is taken for used")
	}
}
