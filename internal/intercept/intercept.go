//go:build unix

// Package intercept develops a service of a cluster on this machine: `ko up`
// runs and reloads it, and Telepresence leads the cluster's requests to it.
//
// `telepresence intercept SERVICE -- COMMAND` would do so too, but it leads
// requests to a program that is still being compiled, connects by itself to a
// namespace that nobody named, and leaves the intercept behind when its terminal
// is closed or it is killed.
package intercept

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/telepresence"
)

const (
	// grace is how long the service may take to end, as in a pod.
	grace = 30 * time.Second
	// pollEvery is how often the service is asked whether it is ready.
	pollEvery = 100 * time.Millisecond
)

// Options say what to run and to intercept.
type Options struct {
	Ko            string    // the path of ko
	Kustomization string    // the directory that ko up runs
	State         string    // the directory that ko up keeps
	Service       string    // the name of the workload
	Port          int       // of this machine, on which the service answers
	Header        string    // of the requests that come here, as in baggage=attendee=ada; all if empty
	Out           io.Writer // gets what happens, and what ko up prints
}

// Run runs the service on this machine until ctx ends or the service does, and
// intercepts it while it is ready. The order is such that no request of the
// cluster finds nobody: the service is ready before its intercept is made, and
// the intercept is left before the service ends.
func Run(ctx context.Context, o Options) error {
	if err := connected(ctx, o); err != nil {
		return err
	}
	if err := leaveStale(ctx, o); err != nil {
		return err
	}
	if listens(o.Port) {
		return fmt.Errorf("port %d is in use: stop what listens on it, or choose another with PORT=%d", o.Port, o.Port+1)
	}
	guard, err := newGuard(o.Service)
	if err != nil {
		return err
	}
	err = develop(ctx, o, guard)
	if ctx.Err() != nil {
		err = nil // What is interrupted may fail.
	}
	return errors.Join(err, guard.close())
}

func develop(ctx context.Context, o Options, guard *guard) error {
	group, err := process.NewGroup()
	if err != nil {
		return err
	}
	defer group.Close()
	local, err := group.Start(process.Command{Path: o.Ko, Output: o.Out, Args: []string{"up", "-k", o.Kustomization, o.Service,
		"--port", strconv.Itoa(o.Port), "--state", o.State}})
	if err != nil {
		return err
	}
	defer local.Stop(grace)
	if err := ready(ctx, local, o.Port); err != nil {
		return err
	}
	err = telepresence.Make(ctx, telepresence.Request{Service: o.Service, Port: o.Port, Header: o.Header, Hold: guard.pipe})
	if errors.Is(err, telepresence.ErrExists) {
		return errors.Join(err, guard.spare())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "%s: intercepted: the cluster's requests%s come to localhost:%d; Ctrl-C ends it\n", o.Service, with(o.Header), o.Port)
	select {
	case <-ctx.Done():
	case <-local.Done():
		err = fmt.Errorf("ko up has ended: %s", local.State())
	}
	if guard.close() == nil { // An error is returned by Run.
		fmt.Fprintf(o.Out, "%s: left: the cluster answers its requests\n", o.Service)
	}
	return err
}

// with says which requests an intercept leads here.
func with(header string) string {
	if header == "" {
		return ""
	}
	return " with header " + header
}

// ready waits until the service answers that it is.
func ready(ctx context.Context, local *process.Process, port int) error {
	url := fmt.Sprintf("http://localhost:%d/readyz", port)
	for {
		if response, err := http.Get(url); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-local.Done():
			return fmt.Errorf("ko up has ended before the service was ready: %s", local.State())
		case <-time.After(pollEvery):
		}
	}
}

// listens tells whether something listens on a port of this machine.
func listens(port int) bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
