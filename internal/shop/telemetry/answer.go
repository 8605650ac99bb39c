package telemetry

import "net/http"

// Answer notes what is written to a client.
type Answer struct {
	http.ResponseWriter
	Before func(http.Header) // is called when the header is about to be sent; may be nil
	Status int               // 0 until then
	Bytes  int               // of the body
}

func (a *Answer) begin(status int) {
	isInterim := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if a.Status != 0 || isInterim {
		return
	}
	if a.Status = status; a.Before != nil {
		a.Before(a.Header())
	}
}

// WriteHeader is [http.ResponseWriter]'s.
func (a *Answer) WriteHeader(status int) {
	a.begin(status)
	a.ResponseWriter.WriteHeader(status)
}

// Write is [http.ResponseWriter]'s.
func (a *Answer) Write(p []byte) (int, error) {
	a.begin(http.StatusOK)
	n, err := a.ResponseWriter.Write(p)
	a.Bytes += n
	return n, err
}

// Flush is [http.Flusher]'s.
func (a *Answer) Flush() {
	a.begin(http.StatusOK)
	if f, ok := a.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap lets [http.ResponseController] do what the server can.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
