package replica

// latest carries values from one sender to one receiver, who gets the newest
// only.
type latest[T any] chan T

func newLatest[T any]() latest[T] { return make(latest[T], 1) }

func (c latest[T]) put(value T) {
	select {
	case <-c: // Nobody has taken the one before.
	default:
	}
	c <- value
}
