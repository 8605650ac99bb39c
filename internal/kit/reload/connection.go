package reload

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

// connection is one to the program that receives in a container, by its stdin and
// stdout. It takes one parcel.
type connection struct {
	parcels chan *parcel.Parcel
	ended   chan struct{} // closed when the result is known
	result  transferred
	heard   bool // the pod says itself what is wrong
}

// connect makes a connection, which ends with the context at the latest. A library
// is one that is read ahead; it may be nil.
func connect(ctx context.Context, c *kube.Cluster, to target, library *parcel.Library) *connection {
	made := &connection{parcels: make(chan *parcel.Parcel), ended: make(chan struct{}), result: transferred{target: to}}
	go func() {
		defer close(made.ended)
		made.result.err = made.stream(ctx, c, library)
	}()
	return made
}

// send hands a parcel over. It reports false if the connection has ended before.
func (c *connection) send(packed *parcel.Parcel) bool {
	select {
	case c.parcels <- packed:
		return true
	case <-c.ended:
		return false
	}
}

// end returns what became of the parcel.
func (c *connection) end() transferred {
	<-c.ended
	return c.result
}

func (c *connection) stream(ctx context.Context, cluster *kube.Cluster, library *parcel.Library) error {
	executor, err := receiver(ctx, cluster, c.result.target)
	if err != nil {
		return err
	}
	stdin, toPod := io.Pipe()
	fromPod, stdout := io.Pipe()
	streaming, ended := context.WithCancelCause(ctx)
	talked := make(chan error, 1)
	go func() {
		err := c.talk(streaming, library, toPod, fromPod)
		toPod.CloseWithError(err)    // The pod sees an end of file.
		io.Copy(io.Discard, fromPod) // Until the stream ends: it must not block.
		talked <- err
	}()
	var complaint strings.Builder
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: &complaint})
	ended(errEnded)
	stdin.CloseWithError(errEnded)
	stdout.CloseWithError(errEnded)
	broken := <-talked
	if ctx.Err() != nil {
		return context.Cause(ctx) // The stream may still be writing its complaint.
	}
	if broken != nil && (err == nil || !errors.Is(broken, errEnded)) {
		err = broken
	}
	c.heard = complaint.Len() > 0
	if said := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "Error: "); err != nil && said != "" {
		err = errors.New(said)
	}
	return err
}

// talk speaks with supervisor.Receive.
func (c *connection) talk(ctx context.Context, library *parcel.Library, toPod *io.PipeWriter, fromPod io.Reader) error {
	offered, err := wire.ReadOffer(fromPod)
	if err != nil {
		return err
	}
	c.result.image = offered.Image
	if library != nil {
		library.ReadAhead(offered.Have)
	}
	select {
	case packed := <-c.parcels:
		c.result.sent, err = packed.HandOver(toPod, offered)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	toPod.CloseWithError(err) // The pod goes on when it has read all.
	if err == nil {
		c.result.note, err = wire.ReadNote(fromPod)
	}
	return err
}

// errEnded is what is left to send to a program that has ended.
var errEnded = errors.New("the program that receives has ended")

// receiver executes the program that receives, over a WebSocket as kubectl does, or
// over SPDY where the API server or a proxy before it knows no other.
func receiver(ctx context.Context, c *kube.Cluster, to target) (remotecommand.Executor, error) {
	url, err := c.PodURL(c.Namespace, to.pod, "exec", &corev1.PodExecOptions{
		Container: to.container, Command: []string{wire.SupervisorPath, "receive", to.store},
		Stdin: true, Stdout: true, Stderr: true,
	})
	if err != nil {
		return nil, err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(endingWith(ctx, c.Config), http.MethodGet, url.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.Config, http.MethodPost, url)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// endingWith returns a configuration whose connections end with ctx: a handshake with a
// node that hangs does not by itself.
func endingWith(ctx context.Context, config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	dial := config.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	config.Dial = func(dialing context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { connection.Close() })
		}
		return connection, err
	}
	return config
}
