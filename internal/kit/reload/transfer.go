package reload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

// transferAll brings a parcel into all targets at once, and returns when all of them
// run what is in it. It returns the number of bytes that crossed to the pod that
// took most, and what the pods say of it, each once. It takes note of the executables of
// the images. An error says of each pod that does not run it why.
func transferAll(ctx context.Context, c *kube.Cluster, targets []target, packed *parcel.Parcel) (sent int, notes []string, err error) {
	problems, sizes, said := make([]error, len(targets)), make([]int, len(targets)), make([]string, len(targets))
	var group errgroup.Group
	for i := range targets {
		target := &targets[i]
		group.Go(func() error {
			var err error
			if sizes[i], said[i], err = transfer(ctx, c, target, packed); err != nil {
				problems[i] = fmt.Errorf("pod %s, container %s: %w", target.pod, target.container, err)
			}
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return 0, nil, context.Cause(ctx)
	}
	slices.Sort(said)
	said = slices.DeleteFunc(slices.Compact(said), func(note string) bool { return note == "" })
	return slices.Max(sizes), said, errors.Join(problems...)
}

// transfer talks to the program that receives in the pod, by its stdin and stdout. It
// returns what the pod says of it.
func transfer(ctx context.Context, c *kube.Cluster, target *target, packed *parcel.Parcel) (sent int, note string, err error) {
	executor, err := receiver(c, target)
	if err != nil {
		return 0, "", err
	}
	stdin, toPod := io.Pipe()
	fromPod, stdout := io.Pipe()
	sending := make(chan error, 1)
	go func() {
		var err error
		sent, target.image, err = packed.HandOver(toPod, fromPod)
		toPod.CloseWithError(err) // The pod sees an end of file.
		if err == nil {
			note, err = wire.ReadNote(fromPod)
		}
		io.Copy(io.Discard, fromPod) // Until the stream ends: it must not block.
		sending <- err
	}()
	var complaint strings.Builder
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: &complaint})
	stdin.CloseWithError(errEnded)
	stdout.CloseWithError(errEnded)
	if broken := <-sending; broken != nil && (err == nil || !errors.Is(broken, errEnded)) {
		err = broken
	}
	if said := strings.TrimPrefix(strings.TrimSpace(complaint.String()), "Error: "); err != nil && said != "" {
		err = errors.New(said)
	}
	return sent, note, err
}

// errEnded is what is left to send to a program that has ended.
var errEnded = errors.New("the program that receives has ended")

// receiver executes the program that receives, over a WebSocket as kubectl does, or
// over SPDY where the API server or a proxy before it knows no other.
func receiver(c *kube.Cluster, target *target) (remotecommand.Executor, error) {
	url, err := c.PodURL(c.Namespace, target.pod, "exec", &corev1.PodExecOptions{
		Container: target.container, Command: []string{wire.SupervisorPath, "receive", wire.StoreOf(target.container)},
		Stdin: true, Stdout: true, Stderr: true,
	})
	if err != nil {
		return nil, err
	}
	websocket, err := remotecommand.NewWebSocketExecutor(c.Config, http.MethodGet, url.String())
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
