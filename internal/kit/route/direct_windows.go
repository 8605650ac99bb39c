package route

// hasNews reports that there may be something to read: it cannot be told here, so that
// no connection is used again.
func (u *upstream) hasNews() bool { return true }
