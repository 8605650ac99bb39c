// Package probe asks a process on this machine what a kubelet would ask a
// container: Kubernetes' probes.
package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Exec runs a command in the place of the container; it is nil where commands
// cannot be run.
type Exec func(ctx context.Context, command []string) error

// Check asks once, for at most the probe's timeout. No error means success; the error says what was seen.
func Check(ctx context.Context, p *Probe, run Exec) error {
	ctx, cancel := context.WithTimeout(ctx, Seconds(p.TimeoutSeconds, 1))
	defer cancel()
	switch {
	case p.HTTPGet != nil:
		return get(ctx, p.HTTPGet)
	case p.TCPSocket != nil:
		return dial(ctx, p.TCPSocket.Host, p.TCPSocket.Port)
	case p.GRPC != nil:
		return health(ctx, p.GRPC)
	case len(p.Command) > 0:
		return run(ctx, p.Command)
	default:
		return fmt.Errorf("the probe has no handler that is known here")
	}
}

// Seconds turns a field of a probe into a duration; zero means the default that
// the API server would have filled in.
func Seconds(n, otherwise int32) time.Duration {
	if n == 0 {
		n = otherwise
	}
	return time.Duration(n) * time.Second
}

// userAgent tells programs that a probe asks, as the kubelet's does.
const userAgent = "kube-probe/ko"

// client asks as the kubelet does: certificates are not verified, connections
// are not kept, and a redirect is an answer.
var client = &http.Client{
	Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // See above.
		DisableKeepAlives: true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func get(ctx context.Context, action *HTTPGet) error {
	path, query, _ := strings.Cut(action.Path, "?")
	target := url.URL{
		Scheme:   strings.ToLower(orDefault(action.Scheme, "http")),
		Host:     address(action.Host, action.Port),
		Path:     "/" + strings.TrimPrefix(path, "/"),
		RawQuery: query,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", target.String(), err)
	}
	request.Header.Set("User-Agent", userAgent)
	for _, header := range action.Headers {
		if strings.EqualFold(header.Name, "Host") {
			request.Host = header.Value
		}
		request.Header.Add(header.Name, header.Value)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode >= 400 {
		return fmt.Errorf("GET %s answers %s", target.String(), response.Status)
	}
	return nil
}

func dial(ctx context.Context, host string, port int) error {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address(host, port))
	if err != nil {
		return err
	}
	return connection.Close()
}

func address(host string, port int) string {
	return net.JoinHostPort(orDefault(host, "127.0.0.1"), strconv.Itoa(port))
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
