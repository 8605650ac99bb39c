package route

import (
	"bufio"
	"bytes"
	"encoding/binary"
)

// preface is what a client begins an HTTP/2 connection with
// (https://www.rfc-editor.org/rfc/rfc9113#section-3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// The kinds of frames that matter to who passes them on, and their flags
// (https://www.rfc-editor.org/rfc/rfc9113#section-6).
const (
	frameHeader = 9 // its length in bytes

	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	framePushPromise  = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameContinuation = 0x9

	flagAck        = 0x1 // of a ping
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
)

// frame is the header of one.
type frame struct {
	bytes  [frameHeader]byte
	length int // of what follows
	kind   byte
	stream uint32
}

// readFrame waits for the header of a frame.
func readFrame(in *bufio.Reader) (f frame, err error) {
	header, err := in.Peek(frameHeader)
	if err != nil {
		return f, err
	}
	f.bytes = [frameHeader]byte(header)
	in.Discard(frameHeader)
	f.length = int(f.bytes[0])<<16 | int(f.bytes[1])<<8 | int(f.bytes[2])
	f.kind = f.bytes[3]
	f.stream = binary.BigEndian.Uint32(f.bytes[5:]) &^ (1 << 31)
	return f, nil
}

func (f frame) has(flag byte) bool { return f.bytes[4]&flag != 0 }

// pass passes a frame on, of which the header has been read.
func (f frame) pass(out *bufio.Writer, in *bufio.Reader) error {
	if _, err := out.Write(f.bytes[:]); err != nil {
		return err
	}
	return passOnBytes(out, in, f.length)
}

// passOnBytes passes on the next n bytes.
func passOnBytes(out *bufio.Writer, in *bufio.Reader, n int) error {
	for n > 0 {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		here, err := in.Peek(min(n, in.Buffered()))
		if err != nil {
			return err
		}
		if _, err := out.Write(here); err != nil {
			return err
		}
		in.Discard(len(here))
		n -= len(here)
	}
	return nil
}

// startsWith reports whether these bytes come next.
func startsWith(in *bufio.Reader, want []byte) bool {
	next, err := in.Peek(len(want))
	return err == nil && bytes.Equal(next, want)
}

// ourPing is what a ping has that the program did not send.
var ourPing = []byte("k0shop\x00\x17")

// goodbye is a GOAWAY that ends no stream, and a ping.
var goodbye = bytes.Join([][]byte{
	{0, 0, 8, frameGoAway, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0},
	{0, 0, 8, framePing, 0, 0, 0, 0, 0},
	ourPing,
}, nil)
