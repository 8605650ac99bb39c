// Package wire holds what both ends of a reload say to each other: the program of a
// developer's machine that sends an executable, and the one in the pod that receives
// it. They talk over one connection in both directions, such as stdin and stdout of an
// exec into the pod:
//
//	pod      an [Offer], as a line of JSON: which executables it has
//	machine  a [Header], as a line of JSON: which one is to run
//	machine  the executable, compressed: whole, or as the difference to one that
//	         both have; nothing if the pod has it already
//	pod      a [Result], as a line of JSON, once the executable runs
//
// How it went is said by the exit code of the program that receives, and on its stderr.
package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Protocol is the version of this conversation. The two ends are compiled at different
// times: the pod's has been in the pod since it was deployed.
const Protocol = 3

const (
	// Window is the memory in bytes that the pod spends on decompression. It must fit
	// the limits of the container beside its program.
	Window = 8 << 20
	// MaxLine bounds in bytes the lines before an executable.
	MaxLine = 4 << 10
	// MaxExecutable bounds in bytes what a sender can make the pod store. The volume
	// holds two versions of that size.
	MaxExecutable = 256 << 20
)

// DebugPort is where the debugger listens, on the pod's loopback interface: the
// default port of GoLand and VS Code.
const DebugPort = 2345

// Offer is what the pod begins with.
type Offer struct {
	Protocol int      `json:"protocol"`
	Image    Digest   `json:"image"` // the executable of the image
	Have     []Digest `json:"have"`  // the executables that are there, the newest first
}

// Header is what an executable begins with.
type Header struct {
	Protocol int `json:"protocol"`
	Build
	Size int64  `json:"size"`           // of the executable in bytes, before compression
	Base Digest `json:"base,omitempty"` // what follows is the difference to it
	Keep bool   `json:"keep,omitempty"` // it is not to be run
}

// Result is what the pod ends with if all went well.
type Result struct {
	Note string `json:"note,omitempty"` // for people
}

// Check returns an error if a header is not one that this end understands.
func (h Header) Check() error {
	if h.Protocol != Protocol {
		return fmt.Errorf("this pod speaks protocol %d of live reload, and the ko that sends speaks %d: deploy the pod again with that ko", Protocol, h.Protocol)
	}
	if !h.Valid() || h.Size <= 0 || h.Size > MaxExecutable || h.Base != "" && !h.Base.Valid() {
		return errors.New("its header is wrong")
	}
	return nil
}

// ReadOffer reads what the pod has. It fails if the pod speaks another protocol.
func ReadOffer(r io.Reader) (Offer, error) {
	var offered Offer
	if err := json.NewDecoder(io.LimitReader(r, MaxLine)).Decode(&offered); err != nil {
		return offered, fmt.Errorf("waiting for what the pod has: %w", err)
	}
	if offered.Protocol != Protocol {
		return offered, fmt.Errorf("the pod speaks protocol %d of live reload, and this ko speaks %d: deploy the pod again with this ko", offered.Protocol, Protocol)
	}
	return offered, nil
}

// ReadNote reads the result of a pod, and returns its note.
func ReadNote(r io.Reader) (string, error) {
	var result Result
	if err := json.NewDecoder(io.LimitReader(r, MaxLine)).Decode(&result); err != nil {
		return "", fmt.Errorf("waiting for the result: %w", err)
	}
	return result.Note, nil
}
