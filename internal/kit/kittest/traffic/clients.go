package traffic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A stream has a message every beat.
const (
	messages = 10
	beat     = 100 * time.Millisecond
)

// get returns the body of an answer, which must be 200.
func get(ctx context.Context, client *http.Client, url string, body io.Reader) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

// http1Client counts the connections that it has to give up. It may make a second one
// before the first is given back.
func (f *Traffic) http1Client(count bool) *http.Client {
	dialer := &net.Dialer{}
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dialer.DialContext(ctx, network, address)
		if err != nil || !count {
			return connection, err
		}
		return &kept{connection, f}, nil
	}}}
}

// kept is a connection that the other side is never to close. The client closes one itself
// now and then, when it is slow.
type kept struct {
	net.Conn
	traffic *Traffic
}

func (k *kept) Read(p []byte) (int, error) {
	n, err := k.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		k.traffic.mu.Lock()
		k.traffic.cut++
		k.traffic.mu.Unlock()
	}
	return n, err
}

// once asks with a request that is never tried again by the client itself: it is POST.
func once(client *http.Client, url string, body func() io.Reader) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := get(ctx, client, url, body())
		return err
	}
}

func empty() io.Reader { return strings.NewReader("x") }

func (f *Traffic) http1() func(context.Context) error {
	return once(f.http1Client(true), "http://"+f.address+"/", empty)
}

func (f *Traffic) slow() func(context.Context) error {
	return once(f.http1Client(false), "http://"+f.address+"/?wait=300ms", empty)
}

// upload takes its time to send what it sends.
func (f *Traffic) upload() func(context.Context) error {
	return once(f.http1Client(false), "http://"+f.address+"/", func() io.Reader {
		from, to := io.Pipe()
		go func() {
			for range 5 {
				io.WriteString(to, strings.Repeat("x", 10_000))
				time.Sleep(beat / 2)
			}
			to.Close()
		}()
		return from
	})
}

func (f *Traffic) http2() func(context.Context) error {
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return once(&http.Client{Transport: transport}, "http://"+f.address+"/", empty)
}

func (f *Traffic) events() func(context.Context) error {
	client := f.http1Client(false)
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.address+"/events", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		last := response.Status
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if text := lines.Text(); text != "" {
				last = text
			}
		}
		if last != "data: end" {
			return fmt.Errorf("the stream was cut after %q", last)
		}
		return nil
	}
}

func (f *Traffic) socket() func(context.Context) error {
	return func(ctx context.Context) error {
		connection, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+f.address+"/socket", nil)
		if err != nil {
			return err
		}
		defer connection.Close()
		for i := range messages {
			want := fmt.Sprint(i)
			if err := connection.WriteMessage(websocket.TextMessage, []byte(want)); err != nil {
				return err
			}
			if _, got, err := connection.ReadMessage(); err != nil || string(got) != want {
				return fmt.Errorf("message %q came back as %q: %w", want, got, err)
			}
			time.Sleep(beat)
		}
		return nil
	}
}

func (f *Traffic) grpc() func(context.Context) error {
	connection, err := grpc.NewClient("passthrough:///"+f.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/traffic.Echo/Echo")
		if err != nil {
			return err
		}
		for i := range messages {
			want, got := fmt.Sprint(i), &wrapperspb.StringValue{}
			if err := stream.SendMsg(wrapperspb.String(want)); err != nil {
				return err
			}
			if err := stream.RecvMsg(got); err != nil || got.Value != want {
				return fmt.Errorf("message %q came back as %q: %w", want, got.Value, err)
			}
			time.Sleep(beat)
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		if err := stream.RecvMsg(&wrapperspb.StringValue{}); !errors.Is(err, io.EOF) {
			return fmt.Errorf("the stream ended with %w", err)
		}
		return nil
	}
}
