package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Condition is what a client says about the answer that it has: inputs embed it.
type Condition struct {
	IfNoneMatch string `header:"If-None-Match" doc:"ETag of the answer that the client has"`
}

// Tagged is an answer that a client may keep, and ask whether it is still right.
type Tagged[T any] struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         T
}

// Tag returns an answer with a strong ETag, which is a hash of its body. The answer is 304
// without the body if the client has it already.
func Tag[T any](c Condition, body T) (*Tagged[T], error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode an answer for its ETag: %w", err)
	}
	hash := sha256.Sum256(encoded)
	// no-cache lets a client keep the answer, and makes it ask each time.
	answer := &Tagged[T]{Status: http.StatusOK, ETag: `"` + hex.EncodeToString(hash[:16]) + `"`, CacheControl: "no-cache", Body: body}
	if c.has(answer.ETag) {
		answer.Status = http.StatusNotModified
	}
	return answer, nil
}

// has compares ETags as https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 says. One
// of ours has no comma.
func (c Condition) has(tag string) bool {
	if strings.TrimSpace(c.IfNoneMatch) == "*" {
		return true
	}
	for given := range strings.SplitSeq(c.IfNoneMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(given), "W/") == tag {
			return true
		}
	}
	return false
}

// Cached adds to an operation that it may answer 304.
func Cached(op huma.Operation) huma.Operation {
	op.Responses = map[string]*huma.Response{"304": {Description: http.StatusText(http.StatusNotModified)}}
	return op
}
