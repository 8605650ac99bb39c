package web_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A request may have as many headers as allowed, and no more, wherever its connection
// and the packets begin.
func TestTooManyHeaders(t *testing.T) {
	const (
		limit = 100
		get   = "GET /things HTTP/1.1\r\nHost: a\r\n"
		post  = "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
		lines = "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n"
		chunk = "POST /things HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
	)
	// One more is allowed if the request line came together with the end of a body.
	headers := func(n int) string { return strings.Repeat("A: 1\r\n", n) }
	allowed, tooMany := get+headers(limit-1)+"\r\n", get+headers(limit)+"\r\n"
	for name, test := range map[string]struct {
		text     string
		statuses []int // of the answers
	}{
		"as many as allowed":                {allowed, []int{200}},
		"one more":                          {tooMany, []int{431}},
		"without an end":                    {get + headers(limit), []int{431}},
		"without carriage returns":          {strings.ReplaceAll(tooMany, "\r", ""), []int{431}},
		"a continued line of one byte":      {get + "A: 1\r\n \n" + headers(limit) + "\r\n", []int{431}},
		"a body of many lines":              {lines + strings.Repeat("[\n", 200), []int{200}},
		"after a body of many lines":        {lines + strings.Repeat("[\n", 200) + allowed + tooMany, []int{200, 200, 431}},
		"a second request":                  {ordinary + allowed + tooMany, []int{200, 200, 431}},
		"a second request after a body":     {post + allowed + post + get + headers(limit+1) + "\r\n", []int{200, 200, 200, 431}},
		"a second request after chunks":     {chunk + allowed + chunk + tooMany, []int{200, 200, 200, 431}},
		"a second request after empty line": {post + "\r\n" + allowed + post + "\n\n" + tooMany, []int{200, 200, 200, 431}},
		"empty lines of carriage returns":   {post + "\r\r\n\n" + tooMany, []int{200, 431}},
	} {
		for way, send := range map[string]func(w io.Writer){
			"at once": func(w io.Writer) { io.WriteString(w, test.text) },
			"by bytes": func(w io.Writer) {
				for i := range len(test.text) {
					io.WriteString(w, test.text[i:i+1])
				}
			},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				s := newSmallServer(t, 10, time.Minute)
				c := s.dial(hostile, "")
				send(c) // A refusal may come before the end.
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				answers := bufio.NewReader(c)
				for i, want := range test.statuses {
					answer, err := http.ReadResponse(answers, nil)
					if err != nil {
						t.Fatalf("answer %d: %v", i, err)
					}
					io.Copy(io.Discard, answer.Body)
					if answer.StatusCode != want {
						t.Errorf("answer %d: %d, want %d", i, answer.StatusCode, want)
					}
				}
			})
		}
	}
}
