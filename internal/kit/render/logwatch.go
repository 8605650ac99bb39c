package render

import (
	"io"
	"log"
	"sync/atomic"
)

// logWatch passes on what is logged, and remembers that something was.
type logWatch struct {
	io.Writer
	written atomic.Bool
}

func (w *logWatch) Write(text []byte) (int, error) {
	w.written.Store(true)
	return w.Writer.Write(text)
}

// watchLog watches the standard logger, to which kustomize writes warnings. The returned
// function ends that, and reports whether anything was written.
func watchLog() (ended func() bool) {
	w := &logWatch{Writer: log.Writer()}
	log.SetOutput(w)
	return func() bool {
		log.SetOutput(w.Writer)
		return w.written.Load()
	}
}
