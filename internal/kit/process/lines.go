package process

import (
	"bufio"
	"io"
)

// longestLine is the size of a line that is passed on in one piece.
const longestLine = 64 << 10

// copyLines passes lines on until the source ends or is closed. It reads on if
// they cannot be written: a program must not block on its output.
func copyLines(to io.Writer, from io.Reader) {
	if to == nil {
		to = io.Discard
	}
	lines := bufio.NewReaderSize(from, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			to.Write(line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
