package route

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// body passes the body of an answer on. What has come is never held back.
func (u *upstream) body(to *bufio.Writer, head directResponse) error {
	switch {
	case head.chunked:
		return u.chunks(to)
	case head.length >= 0:
		return u.copy(to, head.length)
	}
	for {
		err := u.copySome(to, directBuffer)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// chunks passes chunks on as they are (https://www.rfc-editor.org/rfc/rfc9112#section-7.1).
func (u *upstream) chunks(to *bufio.Writer) error {
	for {
		line, err := u.copyLine(to)
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return fmt.Errorf("a chunk begins with %q", line)
		}
		if size == 0 {
			return u.trailers(to)
		}
		if err := u.copy(to, int64(size)+2); err != nil { // It ends with a line's end.
			return err
		}
	}
}

func (u *upstream) trailers(to *bufio.Writer) error {
	for {
		line, err := u.copyLine(to)
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return err
		}
	}
}

func (u *upstream) copyLine(to *bufio.Writer) ([]byte, error) {
	if err := u.flushIfIdle(to); err != nil {
		return nil, err
	}
	line, err := u.in.ReadSlice('\n')
	if err != nil {
		return nil, cut(err)
	}
	_, err = to.Write(line)
	return line, err
}

func (u *upstream) copy(to *bufio.Writer, length int64) error {
	for length > 0 {
		before := length
		if err := u.copyUpTo(to, &length); err != nil {
			return cut(err)
		}
		if length == before {
			return io.ErrNoProgress
		}
	}
	return nil
}

func (u *upstream) copySome(to *bufio.Writer, most int64) error { return u.copyUpTo(to, &most) }

// copyUpTo passes on what has come of length bytes, and waits for some.
func (u *upstream) copyUpTo(to *bufio.Writer, length *int64) error {
	if err := u.flushIfIdle(to); err != nil {
		return err
	}
	if _, err := u.in.Peek(1); err != nil {
		return err
	}
	part, err := u.in.Peek(int(min(*length, int64(u.in.Buffered()))))
	if err != nil {
		return err
	}
	if _, err := to.Write(part); err != nil {
		return err
	}
	*length -= int64(len(part))
	_, err = u.in.Discard(len(part))
	return err
}

// flushIfIdle sends what there is before it is waited for more.
func (u *upstream) flushIfIdle(to *bufio.Writer) error {
	if u.in.Buffered() > 0 || to.Buffered() == 0 {
		return nil
	}
	return to.Flush()
}

// cut is the error of an answer that ends too early.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
