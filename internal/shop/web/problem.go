package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/koshop/koshop/internal/shop/fault"
)

// statuses is the one place where codes of the domain become HTTP.
var statuses = map[fault.Code]int{
	fault.BadRequest:   http.StatusBadRequest,
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.TooMany:      http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
	fault.Upstream:     http.StatusBadGateway,
	fault.Timeout:      http.StatusGatewayTimeout,
	fault.Internal:     http.StatusInternalServerError,
}

// statusClientGone is nginx's code for a client that did not wait. It appears in the log
// only: the client no longer reads the answer.
const statusClientGone = 499

// maxProblems bounds how many fields an answer names.
const maxProblems = 10

// msgUnread is what huma says of a body that ended before its Content-Length.
const msgUnread = "cannot read request body"

// msgTooLarge is what huma says of a body that reaches its limit.
const msgTooLarge = "request body is too large limit=%d bytes"

// huma offers its error hook as a package variable only; package web is its
// only user, so it is set once, here.
func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := problemOf(ctx.Context(), status, msg, errs)
		if isPassing(p.Status) || p.retryAfter > 0 {
			ctx.SetHeader("Retry-After", strconv.Itoa(Seconds(p.retryAfter)))
		}
		return p
	}
	huma.DefaultArrayNullable = false
}

// isPassing tells the statuses after which a request may be repeated.
func isPassing(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// problemOf turns what a handler or huma's validation reports into an answer,
// and notes the cause of a 5xx for the log.
func problemOf(ctx context.Context, status int, msg string, errs []error) *problem {
	switch {
	case status == http.StatusBadRequest && refusesMember(errs):
		status = http.StatusUnprocessableEntity
	case status == http.StatusRequestEntityTooLarge:
		var limit int64
		fmt.Sscanf(msg, msgTooLarge, &limit)
		msg = bodyTooLarge(limit)
	case status == http.StatusInternalServerError && msg == msgUnread:
		return newProblem(http.StatusBadRequest, "The request body ended early")
	}
	if status == http.StatusInternalServerError {
		cause := errors.Join(errs...)
		status, msg = classify(cause)
		if status >= http.StatusInternalServerError {
			note(ctx, cause)
		}
		p := newProblem(status, msg)
		if f, ok := errors.AsType[*fault.Error](cause); ok {
			p.members, p.retryAfter = f.Members, f.RetryAfter
		}
		return p
	}
	details := make([]*huma.ErrorDetail, 0, len(errs))
	for _, err := range errs[:min(len(errs), maxProblems)] {
		details = append(details, locate(err))
	}
	p := newProblem(status, msg)
	p.Errors = details
	if len(details) > 0 {
		p.Detail = describe(details)
	}
	return p
}

// classify returns the status and the detail for an error of a handler. Only a
// fault has a detail for the client.
func classify(err error) (status int, detail string) {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Code != fault.Internal:
		return statuses[f.Code], f.Detail
	case errors.Is(err, context.Canceled):
		return statusClientGone, "The client closed the request"
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "The service did not finish in time"
	default:
		return http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)
	}
}

// locate names the field a problem is about. The offending value is left out:
// it may be a password.
func locate(err error) *huma.ErrorDetail {
	d, ok := err.(huma.ErrorDetailer)
	if !ok {
		return &huma.ErrorDetail{Message: err.Error()}
	}
	location, message := d.ErrorDetail().Location, d.ErrorDetail().Message
	var field string
	if n, err := fmt.Sscanf(message, validation.MsgExpectedRequiredProperty, &field); n == 1 && err == nil {
		location, message = location+"."+field, "is required"
	}
	if path, text, ok := strings.Cut(message, memberSeparator); ok {
		location, message = location+"."+path, text
	}
	return &huma.ErrorDetail{Location: location, Message: clip(message)}
}

// describe says in one line what the details say, as "email: is required".
func describe(details []*huma.ErrorDetail) string {
	lines := make([]string, len(details))
	for i, d := range details {
		lines[i] = d.Message
		if _, field, ok := strings.Cut(d.Location, "."); ok {
			lines[i] = field + ": " + d.Message
		} else if d.Location != "" {
			lines[i] = d.Location + ": " + d.Message
		}
	}
	return strings.Join(lines, "; ")
}

// problem is an error answer, as RFC 9457 says. It may have further members.
type problem struct {
	huma.ErrorModel
	members    map[string]string
	retryAfter time.Duration
}

func newProblem(status int, detail string) *problem {
	return &problem{ErrorModel: huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}}
}

// MarshalJSON adds the further members after those of every problem.
func (p *problem) MarshalJSON() ([]byte, error) {
	common, err := json.Marshal(p.ErrorModel)
	if err != nil || len(p.members) == 0 {
		return common, err
	}
	further, err := json.Marshal(p.members)
	if err != nil {
		return nil, err
	}
	return slices.Concat(common[:len(common)-1], []byte(","), further[1:]), nil
}

// writeError answers outside of an operation of huma.
func writeError(w http.ResponseWriter, r *http.Request, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	if isPassing(status) {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(newProblem(status, detail)); err != nil {
		note(r.Context(), fmt.Errorf("write the answer: %w", err))
	}
}
