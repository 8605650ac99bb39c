package route

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// ListenTCP serves a pool on an address of this machine, for any protocol. The
// error is a [BusyError] if the port is taken.
func ListenTCP(address string, pool *Pool) (*Listener, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	return serveTCP(listener, func(ctx context.Context, client *net.TCPConn) { pool.relay(ctx, client, nil) }), nil
}

// serveTCP handles each connection until the handler returns; its context ends
// when connections are to be cut.
func serveTCP(listener net.Listener, handle func(context.Context, *net.TCPConn)) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			client, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				time.Sleep(redialPause) // Too many open files, for now.
				continue
			}
			handlers.Go(func() { handle(ctx, client.(*net.TCPConn)) })
		}
	})
	shutdown := func(until context.Context) {
		listener.Close()
		defer context.AfterFunc(until, cancel)()
		handlers.Wait()
		cancel()
	}
	return &Listener{addr: listener.Addr(), close: shutdown}
}

// relay connects a client, of which the beginning has been read, to one of the
// endpoints until both have nothing more to say, or one of them, the listener or
// the endpoint ends it.
func (p *Pool) relay(ctx context.Context, client *net.TCPConn, beginning []byte) {
	defer client.Close()
	var server *net.TCPConn
	endpoint, err := p.reach(ctx, func(e *Endpoint) (err error) {
		server, err = e.dial(ctx)
		return err
	})
	if endpoint != nil {
		defer endpoint.release()
	}
	if err != nil {
		return
	}
	cut := func() {
		client.Close()
		server.Close()
	}
	defer cut()
	defer context.AfterFunc(ctx, cut)()
	defer context.AfterFunc(endpoint.cut, cut)()
	if _, err := server.Write(beginning); err != nil {
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { copyHalf(server, client, cut) })
	directions.Go(func() { copyHalf(client, server, cut) })
	directions.Wait()
}

// copyHalf passes one direction on, its end too; an error ends both.
func copyHalf(to, from *net.TCPConn, cut func()) {
	if _, err := io.Copy(to, from); err != nil {
		cut()
		return
	}
	to.CloseWrite()
}
