package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/fault"
)

// codes are the faults for the statuses of package web, for refusals.
var codes = map[int]fault.Code{
	http.StatusBadRequest:          fault.BadRequest,
	http.StatusUnauthorized:        fault.Unauthorized,
	http.StatusForbidden:           fault.Forbidden,
	http.StatusNotFound:            fault.NotFound,
	http.StatusConflict:            fault.Conflict,
	http.StatusUnprocessableEntity: fault.Invalid,
	// What a service of the shop sends grows with what its own client sent.
	http.StatusRequestURITooLong:           fault.BadRequest,
	http.StatusRequestHeaderFieldsTooLarge: fault.BadRequest,
}

// refusal turns an answer that is not 2xx into a fault. A 4xx without a detail is
// not a refusal: a proxy or another pod sent it, not a service of the shop.
func (c *Client) refusal(status int, header http.Header, body []byte) error {
	cause := fmt.Errorf("%s answered %d", c.name, status)
	if code, ok := codes[status]; ok {
		if detail, ok := detailOf(body, http.StatusText(status)); ok {
			refused := fault.Wrap(cause, code, "%s", detail)
			refused.RetryAfter = retryAfter(header)
			if id := paymentOf(body); id != "" {
				refused = refused.With(fault.PaymentID, id)
			}
			return refused
		}
	}
	if status == http.StatusGatewayTimeout {
		return fault.Wrap(cause, fault.Timeout, "%s did not answer in time", c.name)
	}
	return c.failed(cause)
}

// retryAfter reads the seconds of the header Retry-After, at most an hour. It returns 0
// for anything else.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// detailOf reads the detail of an error answer, if it has one. It returns the fallback for
// a detail that is not a text. The workshop's own payments service puts the whole answer of
// orders-svc into its detail, so a detail inside a detail is found too.
func detailOf(body []byte, fallback string) (detail string, ok bool) {
	for range 3 {
		var answer struct{ Detail json.RawMessage }
		if json.Unmarshal(body, &answer) != nil || answer.Detail == nil {
			break
		}
		if ok = true; json.Unmarshal(answer.Detail, &detail) == nil {
			return detail, true
		}
		body = answer.Detail
	}
	return fallback, ok
}

// paymentOf reads the member [fault.PaymentID] of an error answer, if it has one.
func paymentOf(body []byte) string {
	var answer map[string]json.RawMessage
	var id string
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer[fault.PaymentID], &id) != nil || uuid.Validate(id) != nil {
		return ""
	}
	return id
}
