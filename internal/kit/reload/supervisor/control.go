//go:build unix

package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	// answerTimeout bounds the wait for an answer, which the supervisor gives in any
	// case: manifests say how long a program may take to start, and how long to end.
	answerTimeout = time.Hour
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
	err := json.NewDecoder(connection).Decode(asked)
	if errors.Is(err, io.EOF) {
		return // Somebody looked whether there is a supervisor.
	}
	if err != nil || !asked.Valid() {
		json.NewEncoder(connection).Encode(failure(errors.New("not a request")))
		return
	}
	s.requests <- asked
	json.NewEncoder(connection).Encode(<-answered)
}

// startWithin is how long a supervisor may take to start, which reads the whole program.
const startWithin = 30 * time.Second

// awaitSupervisor returns when the supervisor whose store is dir takes requests.
func awaitSupervisor(dir string) error {
	for late := time.Now().Add(startWithin); ; time.Sleep(lockPoll) {
		connection, err := net.Dial("unix", filepath.Join(dir, socketName))
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(late) {
			return fmt.Errorf("reaching the supervisor: %w", err)
		}
	}
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
