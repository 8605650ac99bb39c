package route

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// BusyError says that a port is taken, and by whom as far as the system tells.
type BusyError struct {
	Port    int
	Program string // "" if it is not known
	Process int    // its id
}

func (e *BusyError) Error() string {
	if e.Program == "" {
		return fmt.Sprintf("port %d is in use by another program", e.Port)
	}
	return fmt.Sprintf("port %d is in use by %s (process %d)", e.Port, e.Program, e.Process)
}

// listen listens on a TCP address of this machine, with a [BusyError] if
// somebody else does.
func listen(address string) (net.Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	listener, err := net.ListenTCP("tcp", tcp)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, busy(tcp.Port)
	}
	if err != nil {
		return nil, err
	}
	return listener, nil
}

// Probe fails with a [BusyError] if something listens on a port of this machine.
func Probe(port int) error {
	return probe(net.JoinHostPort("localhost", strconv.Itoa(port)))
}

// probe fails with a [BusyError] if something answers on a port. BSD lets us
// listen on 127.0.0.1 though another program listens on all addresses, and so
// take its connections away.
func probe(address string) error {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return nil
	}
	defer connection.Close()
	return busy(connection.RemoteAddr().(*net.TCPAddr).Port)
}

func busy(port int) error {
	program, process := owner(port)
	return &BusyError{Port: port, Program: program, Process: process}
}
