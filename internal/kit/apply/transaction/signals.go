package transaction

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// errStopped is why an undo ends that somebody does not want to wait for.
var errStopped = errors.New("the undoing was stopped by a second signal")

// listen takes the signals that would end the program: from now on there may be
// something to undo first.
func (t *Transaction) listen() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	signal.Notify(t.signals, signals...)
}

// Close ends the transaction: signals are what they were before.
func (t *Transaction) Close() { signal.Stop(t.signals) }

// untilSecondSignal answers the first signal that comes while a run is undone, and
// ends the context at the second. A signal that is why it is undone does not count.
func (t *Transaction) untilSecondSignal(ctx context.Context, interrupted bool) (until context.Context, release func()) {
	until, cancel := context.WithCancelCause(ctx)
	answered, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-until.Done():
				return
			case <-t.signals:
			}
			switch {
			case interrupted:
				interrupted = false
			case answered:
				cancel(errStopped)
				return
			default:
				answered = true
				t.log.Printf("undoing what was changed; a second signal leaves it half done")
			}
		}
	}()
	return until, func() {
		cancel(nil)
		<-ended
	}
}
