package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// patience is for an answer that the contract promises within five seconds, with
// room for a password's hash on a busy machine.
const patience = 15 * time.Second

// answer is a JSON document; numbers are kept as they were written.
type answer struct {
	request string
	status  int
	raw     []byte
	value   any
}

// call sends a request as curl would and refuses an answer of another status.
func (s Shop) call(ctx context.Context, method, url, token, body string, status int) (answer, error) {
	a := answer{request: method + " " + url}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	if a.raw, err = io.ReadAll(io.LimitReader(response.Body, 1<<20)); err != nil {
		return a, fmt.Errorf("%s: reading the answer: %w", a.request, err)
	}
	a.status = response.StatusCode
	decoder := json.NewDecoder(bytes.NewReader(a.raw))
	decoder.UseNumber()
	decodeErr := decoder.Decode(&a.value)
	if a.status != status {
		return a, fmt.Errorf("%s: status %d, want %d: %s", a.request, a.status, status, a.raw)
	}
	if decodeErr != nil {
		return a, fmt.Errorf("%s: the answer is no JSON: %w: %s", a.request, decodeErr, a.raw)
	}
	return a, nil
}

// text returns the string or number at a path of object members.
func (a answer) text(path ...string) (string, error) {
	value := a.value
	for _, member := range path {
		object, _ := value.(map[string]any) // A missing member ends in the error below.
		value = object[member]
	}
	switch value := value.(type) {
	case string:
		return value, nil
	case json.Number:
		return value.String(), nil
	}
	return "", fmt.Errorf("%s: the answer has no %s: %s", a.request, strings.Join(path, "."), a.raw)
}

// want compares members, named by dotted paths, with what they should be.
func (a answer) want(members map[string]string) error {
	for path, want := range members {
		got, err := a.text(strings.Split(path, ".")...)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s: %s is %q, want %q: %s", a.request, path, got, want, a.raw)
		}
	}
	return nil
}
