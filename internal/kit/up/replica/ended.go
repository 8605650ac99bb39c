package replica

import (
	"context"
	"time"
)

// comingEnded tries again what ended before it was ready. An instance that
// serves goes on meanwhile, so that there is no hurry.
func (s *Slot) comingEnded(ctx context.Context) {
	ended := s.coming
	s.coming = nil
	switch {
	case ctx.Err() != nil:
	case s.serving == nil:
		s.again(ended)
	case isSetupError(ended.err):
		s.row.CannotStart(ended.err)
	case lacksRoom(ended.err):
		s.row.Yields()
		s.clear()
		s.retry = time.After(0)
	default:
		wait := max(s.backoff.ended(time.Since(ended.began)), firstBackoff)
		s.row.Stays(ended.err, wait)
		s.hint()
		s.retry = time.After(wait)
	}
}

func (s *Slot) servingEnded(ctx context.Context) {
	ended := s.serving
	s.serving = nil
	s.Routes.Clear(s.id, ended)
	switch {
	case ctx.Err() != nil:
	case s.coming == nil:
		s.again(ended)
	default:
		s.row.Lost(ended.err)
	}
}

func (s *Slot) turned(ready bool) {
	if !ready {
		s.Routes.Clear(s.id, s.serving)
		s.row.NotReady()
		return
	}
	s.Routes.Set(s.id, s.serving)
	s.row.ReadyAgain()
}

// stop ends what runs and waits for it. While the others run on, requests in
// flight are finished.
func (s *Slot) stop(run context.Context) {
	for _, i := range []*instance{s.coming, s.serving} {
		switch {
		case i == nil:
		case run.Err() != nil:
			i.cancel()
			<-i.ended
		default:
			s.Routes.Clear(s.id, i)
			i.leave()
		}
	}
	s.leaving.Wait()
	if s.overdue != nil {
		s.overdue.Stop()
	}
	s.pass() // What waits for this Job would wait forever.
}
