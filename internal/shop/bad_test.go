package shop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// bad is a request that a service must refuse, byte by byte: many of them no client of
// Go's would send.
type bad struct {
	service, name string
	request       string
	want          []int // statuses, one of which the answer has; closed for no answer
	ends          bool  // The client says that it sends no more: a service takes that for its end.
}

const (
	// closed stands for a connection that ends without an answer.
	closed = 0
	// within is how long any answer may take.
	within = 5 * time.Second
	// minBad is how many bad requests there are at least, without the random ones.
	minBad = 500
	// atOnce is how many are sent at the same time.
	atOnce = 8
)

// TestBadRequests sends every service what it cannot carry out. Each is refused in the
// form of the contract, soon, and as the client's mistake.
func TestBadRequests(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	operations := s.operations(t)
	token := s.signUp(t, "bad").token
	all := slices.Concat(badMembers(operations, token), badBodies(operations, token), badPaths(operations, token),
		badMethods(operations), badHeaders(operations, token), badWire(s.urls()))
	checkDistinct(t, all)
	checkAll(t, s.urls(), slices.Concat(all, mutated(t, operations, token)))
	for name, url := range s.urls() {
		if answer := shoptest.Do(t, "GET", url+"/healthz", "", ""); answer.Status != 201 {
			t.Errorf("%s is not well afterwards: %d", name, answer.Status)
		}
	}
}

func (s *shop) urls() map[string]string {
	return map[string]string{"user-svc": s.users.URL(), "product-svc": s.products.URL(), "orders-svc": s.orders.URL(), "payments-svc": s.payments.URL(), "api-gateway": s.gateway.URL()}
}

// checkDistinct fails the test unless there are many requests, none of them twice.
func checkDistinct(t *testing.T, all []bad) {
	t.Helper()
	seen := map[string]string{}
	for _, b := range all {
		key := b.service + " " + b.request
		if other, ok := seen[key]; ok {
			t.Errorf("%s: %s is the same as %s", b.service, b.name, other)
		}
		seen[key] = b.name
	}
	if t.Logf("%d bad requests", len(seen)); len(seen) < minBad {
		t.Errorf("fewer than %d", minBad)
	}
}

// checkAll sends the requests, a few at a time, and logs a table of what came back.
func checkAll(t *testing.T, urls map[string]string, all []bad) {
	t.Helper()
	var (
		mu     sync.Mutex
		counts = map[string]map[int]int{}
		work   sync.WaitGroup
	)
	next := make(chan bad)
	for range atOnce {
		work.Go(func() {
			for b := range next {
				status, err := b.check(strings.TrimPrefix(urls[b.service], "http://"))
				if err != nil {
					t.Errorf("%s: %s: %v\n%.300q", b.service, b.name, err, b.request)
				}
				mu.Lock()
				if counts[b.service] == nil {
					counts[b.service] = map[int]int{}
				}
				counts[b.service][status]++
				mu.Unlock()
			}
		})
	}
	for _, b := range all {
		next <- b
	}
	close(next)
	work.Wait()
	logCounts(t, counts)
}

func logCounts(t *testing.T, counts map[string]map[int]int) {
	t.Helper()
	total := map[int]int{}
	for _, of := range counts {
		for status, n := range of {
			total[status] += n
		}
	}
	statuses := slices.Sorted(maps.Keys(total))
	var table strings.Builder
	row := func(name string, cell func(status int) any) {
		fmt.Fprintf(&table, "\n%-14s", name)
		for _, status := range statuses {
			fmt.Fprintf(&table, "%6v", cell(status))
		}
	}
	row("status", func(status int) any { return status })
	for _, service := range slices.Sorted(maps.Keys(counts)) {
		row(service, func(status int) any { return counts[service][status] })
	}
	row("all", func(status int) any { return total[status] })
	t.Log(table.String(), "\n(0: the connection ended without an answer)")
}

// check sends the request and returns the status of the answer.
func (b bad) check(address string) (status int, err error) {
	begin := time.Now()
	answer, body, err := b.send(address, begin.Add(within))
	switch {
	case err != nil && slices.Contains(b.want, closed) && time.Since(begin) < within:
		return closed, nil
	case err != nil:
		return closed, fmt.Errorf("no answer, want %v: %w", b.want, err)
	case !slices.Contains(b.want, answer.StatusCode):
		return answer.StatusCode, fmt.Errorf("status %d, want %v: %.300s", answer.StatusCode, b.want, body)
	}
	isHead := strings.HasPrefix(b.request, "HEAD ")
	if answer.StatusCode >= 400 && !isHead {
		err = checkProblem(answer, body)
	}
	return answer.StatusCode, err
}

// send returns the answer to the request. A server that has seen enough answers before
// the end of a long one, so that not everything can be written.
func (b bad) send(address string, deadline time.Time) (*http.Response, []byte, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(deadline); err != nil {
		return nil, nil, err
	}
	go func() {
		_, _ = io.WriteString(connection, b.request)
		if b.ends {
			_ = connection.(*net.TCPConn).CloseWrite()
		}
	}()
	method, _, _ := strings.Cut(b.request, " ")
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// checkProblem checks the form of a refusal.
func checkProblem(answer *http.Response, body []byte) error {
	var problem struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return fmt.Errorf("%w: %.300s", err, body)
	}
	if problem.Status != answer.StatusCode || problem.Detail == "" || answer.Header.Get("Content-Type") != "application/problem+json" {
		return fmt.Errorf("%s: %.300s", answer.Header.Get("Content-Type"), body)
	}
	for _, innards := range []string{".go:", "goroutine", "panic", "SQL", "sqlite", "strconv", "huma", "json:"} {
		if bytes.Contains(body, []byte(innards)) {
			return fmt.Errorf("the answer shows %q: %.300s", innards, body)
		}
	}
	if len(body) > 8<<10 {
		return fmt.Errorf("the answer has %d bytes", len(body))
	}
	return nil
}
