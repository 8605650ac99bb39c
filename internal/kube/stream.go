package kube

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// stream is a connection to a port of a pod. It is closed with what carries it.
type stream struct {
	httpstream.Stream
	connection httpstream.Connection
	where      address
	complaint  chan string // what the kubelet says that went wrong; closed if nothing did
}

// newStream opens the two streams that the protocol of port-forward has for a
// connection: one for the data, and one on which the kubelet complains.
func newStream(connection httpstream.Connection, where string, port int32) (*stream, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	complaints, err := connection.CreateStream(headers)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	complaints.Close() // Nothing is written to it.
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := connection.CreateStream(headers)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	s := &stream{Stream: data, connection: connection, where: address(where), complaint: make(chan string, 1)}
	go func() {
		defer close(s.complaint)
		text, _ := io.ReadAll(complaints) // It is cut off when the connection is closed.
		if len(text) > 0 {
			s.complaint <- strings.TrimSpace(string(text))
		}
	}()
	return s, nil
}

// Read says why there is nothing more to read, if the kubelet does.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	if err != nil && n == 0 {
		select {
		case text := <-s.complaint:
			if text != "" {
				return 0, fmt.Errorf("%s: %s", s.where, text)
			}
		case <-time.After(time.Second): // The data may be at its end before the complaint is.
		}
	}
	return n, err
}

func (s *stream) Close() error { return s.connection.Close() }

// address is where a stream leads.
type address string

func (a address) Network() string { return "port-forward" }
func (a address) String() string  { return string(a) }

func (s *stream) LocalAddr() net.Addr  { return address("here") }
func (s *stream) RemoteAddr() net.Addr { return s.where }

// Deadlines are the business of the requests' contexts.
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }
