// Package client is HTTP from one service to another: bounded in time and in
// size, with the request's id, trace and baggage, and with failures as faults.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	// callTimeout bounds one call with its repetition. It is below the 5 s within
	// which the gateway has to answer, whatever happens behind it.
	callTimeout = 4 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 4 << 20
	// patience limits how long a request is repeated that did not reach the service: a
	// Service whose pod was just replaced refuses connections for a moment.
	patience = 2 * time.Second
	// idleTimeout is how long an unused connection is kept. It is below the age at
	// which a service gives up one that is used; see package web.
	idleTimeout = 4 * time.Second
	// maxConnections bounds the connections to the service.
	maxConnections = 64
	// firstPause is the pause before the first repetition; each further one is
	// twice as long.
	firstPause = 50 * time.Millisecond
)

// Client calls one service.
type Client struct {
	name string
	base string
	http *http.Client
}

// New returns a client of the named service at the base URL.
func New(name string, base *url.URL) *Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	return &Client{name: name, base: strings.TrimSuffix(base.String(), "/"), http: &http.Client{
		// Without a Timeout: Fetch bounds the whole call, and a second clock costs time.
		Transport: telemetry.Transport(name, &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 2 * time.Second,
			// As many may be idle: a connection that is closed has to be made again.
			MaxIdleConnsPerHost: maxConnections, MaxConnsPerHost: maxConnections, IdleConnTimeout: idleTimeout,
		}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Call is one request.
type Call struct {
	Method string
	Path   []string   // segments; they are escaped
	Query  url.Values // may be nil
	// Header has further headers; it may be nil. With If-None-Match, the answer may be
	// 304 and have no body.
	Header http.Header
	Body   any // sent as JSON unless nil
}

// Do makes the call and decodes the answer's JSON into out. A refusal of the
// service (4xx) comes back as the fault it was, with its detail; a service
// that is down or fails is fault.Upstream, one that is slow fault.Timeout.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	answer, err := c.Fetch(ctx, call)
	if err != nil {
		return err
	}
	return c.Decode(answer, out)
}

// Decode decodes the JSON of an answer into out, as Do does.
func (c *Client) Decode(answer Answer, out any) error {
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return c.failed(fmt.Errorf("decode the answer of %s: %w", c.name, err))
	}
	return nil
}

// Answer is what a service answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Fetch makes the call, as Do does, and returns the answer as it is.
func (c *Client) Fetch(ctx context.Context, call Call) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := c.sendThrough(ctx, call)
	if err != nil {
		return Answer{}, c.explain(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, c.explain(ctx, fmt.Errorf("read the answer of %s: %w", c.name, err))
	}
	if len(body) > maxAnswer {
		return Answer{}, c.failed(fmt.Errorf("%s answered more than %d bytes", c.name, maxAnswer))
	}
	isKnown := res.StatusCode == http.StatusNotModified && call.Header.Get("If-None-Match") != ""
	if !isKnown && (res.StatusCode < 200 || res.StatusCode > 299) {
		return Answer{}, c.refusal(res.StatusCode, res.Header, body)
	}
	return Answer{res.StatusCode, res.Header, body}, nil
}

// FetchJSON is Fetch for an answer in JSON. It fails as Do does if the answer is not JSON.
func (c *Client) FetchJSON(ctx context.Context, call Call) (Answer, error) {
	answer, err := c.Fetch(ctx, call)
	if err == nil && answer.Status != http.StatusNotModified && !json.Valid(answer.Body) {
		return Answer{}, c.failed(fmt.Errorf("the answer of %s is not JSON", c.name))
	}
	return answer, err
}

// sendThrough sends a request until it gets through or patience has run out.
func (c *Client) sendThrough(ctx context.Context, call Call) (*http.Response, error) {
	until := time.Now().Add(patience)
	for pause := firstPause; ; pause *= 2 {
		res, err := c.send(ctx, call)
		if err == nil || !repeatable(call.Method, err) || time.Now().Add(pause).After(until) || !wait(ctx, pause) {
			return res, err
		}
	}
}

// repeatable says whether a request that failed may be sent again: a GET after
// any broken connection, another one only if there never was a connection.
func repeatable(method string, err error) bool {
	if isTimeout(err) {
		return false
	}
	var op *net.OpError
	return method == http.MethodGet || errors.As(err, &op) && op.Op == "dial"
}

func (c *Client) send(ctx context.Context, call Call) (*http.Response, error) {
	body := &bytes.Buffer{}
	if call.Body != nil {
		if err := json.NewEncoder(body).Encode(call.Body); err != nil {
			return nil, fmt.Errorf("encode the request to %s: %w", c.name, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, c.url(call), body)
	if err != nil {
		return nil, err
	}
	for name, values := range call.Header {
		req.Header[wireName(name)] = values
	}
	if call.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if id := requestid.From(ctx); id != "" {
		req.Header.Set(requestid.Header, id)
	}
	if carried := baggage.From(ctx); carried != "" {
		req.Header.Set(baggage.Header, carried)
	}
	return c.http.Do(req)
}

// wireName returns the name under which a header is set. [http.Transport] sends a POST
// again by itself, on another connection, if the connection breaks before the answer and
// the request has the header Idempotency-Key. The service may still be carrying out the
// first one then. The transport does not find the header in lower case, and to a service
// both names are the same.
func wireName(name string) string {
	if name == "Idempotency-Key" {
		return "idempotency-key"
	}
	return name
}

func (c *Client) url(call Call) string {
	u := c.base
	for _, segment := range call.Path {
		u += "/" + escape(segment)
	}
	if len(call.Query) > 0 {
		u += "?" + call.Query.Encode()
	}
	return u
}

// escape keeps a segment a segment, even one that is "..".
func escape(segment string) string {
	if segment == "." || segment == ".." {
		return strings.ReplaceAll(segment, ".", "%2E")
	}
	return url.PathEscape(segment)
}

// Close drops the connections that are kept for later.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// explain turns a failure to get an answer into a fault. If the caller has canceled the
// call, it returns that error.
func (c *Client) explain(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("call %s: %w", c.name, ctx.Err())
	case isTimeout(err): // A refused connection stays one, even if time ran out between two attempts.
		return fault.Wrap(err, fault.Timeout, "%s did not answer in time", c.name)
	default:
		return fault.Wrap(err, fault.Upstream, "%s cannot be reached", c.name)
	}
}

func (c *Client) failed(err error) error {
	return fault.Wrap(err, fault.Upstream, "%s failed", c.name)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// wait pauses and reports whether the context is still alive.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
