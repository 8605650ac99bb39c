package web

import (
	"bytes"
	"fmt"
)

// maxHeaders is how many headers a request may have, as many as servers usually allow.
// net/http bounds their bytes only, and each takes far more memory than it has bytes: 2,000
// connections with 12 KiB of the smallest headers took more than the memory of a pod.
const maxHeaders = 100

var tooManyHeaders = fmt.Sprintf("The request has more than %d headers", maxHeaders)

// headerLines counts the lines of a request up to the empty one that ends its header.
type headerLines struct {
	lines  int
	filled bool // The line that is being read is not empty.
	ended  bool // Lines are no longer counted: they are those of a body.
}

// next returns how many bytes of those that have arrived net/http may have at once. It gets
// none of what follows a header together with it, and at most one line of a body, because
// the lines of a next request that it already has could not be counted. That one line may
// include the first one of a next request, which then may have one header more.
func (h *headerLines) next(arrived []byte) int {
	if h.ended {
		if end := bytes.IndexByte(arrived, '\n'); end >= 0 {
			return end + 1
		}
		return len(arrived)
	}
	for i, b := range arrived {
		switch {
		case b == '\r': // A line that has nothing else is empty, or refused by net/http.
		case b != '\n':
			h.filled = true
		case h.filled:
			h.filled = false
			h.lines++
		case h.lines > 0: // net/http skips empty lines before a request.
			h.ended = true
			return i + 1
		}
	}
	return len(arrived)
}

// tooMany reports whether there are more lines than a request may have: its first one and
// the headers.
func (h *headerLines) tooMany() bool { return h.lines > 1+maxHeaders }
