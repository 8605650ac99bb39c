//go:build unix

package supervisor

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

const (
	// lastLines is how many of the last lines of a program are shown when it ends.
	lastLines = 10
	// panicLines is how many are shown of a panic.
	panicLines = 16
	// maxLine bounds in bytes what is remembered of a line.
	maxLine = 512
	// readOutWithin is how long it may take to read what a program has printed once
	// it has ended: its own children may still hold the pipe.
	readOutWithin = 2 * time.Second
)

// output passes on what an instance prints, and remembers the end of it.
type output struct {
	busy func(port int) // is called with the ports that the program could not have

	reading sync.WaitGroup
	mu      sync.Mutex
	lines   []string
	inPanic bool
}

// pipe returns a file for the program to print to, which must be closed once the
// program has started.
func (o *output) pipe(to io.Writer) (*os.File, error) {
	from, file, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.reading.Go(func() {
		defer from.Close()
		o.pass(from, to)
	})
	return file, nil
}

// pass copies, and remembers lines. What cannot be written is lost, and does not stop
// the program.
func (o *output) pass(from io.Reader, to io.Writer) {
	buffer := make([]byte, 16<<10)
	var line []byte
	for {
		n, err := from.Read(buffer)
		to.Write(buffer[:n])
		for rest := buffer[:n]; len(rest) > 0; {
			part, after, whole := bytes.Cut(rest, []byte("\n"))
			line = append(line, part[:min(len(part), maxLine-len(line))]...)
			if whole {
				o.remember(string(line))
				line = line[:0]
			}
			rest = after
		}
		if err != nil {
			if len(line) > 0 {
				o.remember(string(line))
			}
			return
		}
	}
}

func (o *output) remember(line string) {
	if port := route.PortInUse(line); port != 0 {
		o.busy(port)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inPanic = o.inPanic || strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
	switch {
	case !o.inPanic && len(o.lines) == lastLines:
		o.lines = slices.Delete(o.lines, 0, 1)
	case len(o.lines) == lastLines+panicLines:
		return
	}
	o.lines = append(o.lines, line)
}

// panicked reports whether the program has said that it panics.
func (o *output) panicked() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.inPanic
}

// last returns the last lines of a program that has ended, and its panic.
func (o *output) last() []string {
	read := make(chan struct{})
	go func() { // Ends when the last of the program's children does.
		o.reading.Wait()
		close(read)
	}()
	select {
	case <-read:
	case <-time.After(readOutWithin):
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}
