//go:build unix

package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// socketName is the supervisor's Unix socket, in the directory of the store.
const socketName = "socket"

const (
	// controlTimeout bounds the reading of a request: whoever may connect is in the
	// container already.
	controlTimeout = 10 * time.Second
	// answerTimeout bounds the wait for an answer: the program that is replaced has
	// its grace period, and another request may be served first.
	answerTimeout = 2 * time.Minute
)

// request asks the supervisor to run a build of the store.
type request struct {
	wire.Build
	answer chan<- answer
}

// answer tells what became of it.
type answer struct {
	Error string `json:"error,omitempty"` // why the executable does not run
	Note  string `json:"note,omitempty"`  // what else its sender is told
}

func failure(err error) answer { return answer{Error: err.Error()} }

// accept passes requests on to the loop, one at a time.
func (s *Supervisor) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return // The supervisor ends.
		}
		s.converse(connection)
	}
}

func (s *Supervisor) converse(connection net.Conn) {
	defer connection.Close()
	connection.SetReadDeadline(time.Now().Add(controlTimeout))
	answered := make(chan answer, 1)
	asked := &request{answer: answered}
	if err := json.NewDecoder(connection).Decode(asked); err != nil || !asked.Valid() {
		json.NewEncoder(connection).Encode(failure(errors.New("not a request")))
		return
	}
	s.requests <- asked
	json.NewEncoder(connection).Encode(<-answered)
}

// ask makes the supervisor whose store is dir run a build, and returns once
// that has run for a moment. It returns what its sender is told. An error says why the
// build does not run.
func ask(dir string, b wire.Build) (note string, err error) {
	connection, err := net.Dial("unix", filepath.Join(dir, socketName))
	if err != nil {
		return "", fmt.Errorf("reaching the supervisor: %w", err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(answerTimeout))
	var got answer
	if err := json.NewEncoder(connection).Encode(request{Build: b}); err != nil {
		return "", fmt.Errorf("asking the supervisor: %w", err)
	}
	if err := json.NewDecoder(connection).Decode(&got); err != nil {
		return "", fmt.Errorf("waiting for the supervisor: %w", err)
	}
	if got.Error != "" {
		return "", errors.New(got.Error)
	}
	return got.Note, nil
}
