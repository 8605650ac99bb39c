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

// untilSecondSignal answers the first signal that comes while a run is undone, and
// ends the context at the second. A terminal sends more than one where somebody
// presses Ctrl-C again.
func (t *Transaction) untilSecondSignal(ctx context.Context) (until context.Context, release func()) {
	until, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for count := 0; ; count++ {
			select {
			case <-until.Done():
				return
			case <-signals:
			}
			if count > 0 {
				cancel(errStopped)
				return
			}
			t.log.Printf("undoing what was changed; a second signal leaves it half done")
		}
	}()
	return until, func() {
		signal.Stop(signals)
		cancel(nil)
		<-ended
	}
}
