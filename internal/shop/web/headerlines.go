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
	length int  // of the line that is being read
	ended  bool // Lines are no longer counted: they are those of a body.
}

// tooMany counts the lines of what was read next, and reports whether there are more than
// a request may have.
func (h *headerLines) tooMany(read []byte) bool {
	for !h.ended {
		end := bytes.IndexByte(read, '\n')
		if end < 0 {
			h.length += len(read)
			break
		}
		// A line of one byte is that of a carriage return, or refused by net/http.
		h.ended = h.length+end <= 1
		h.lines++
		h.length, read = 0, read[end+1:]
		if h.lines > 1+maxHeaders+1 { // with the request line before and the empty line after them
			return true
		}
	}
	return false
}
