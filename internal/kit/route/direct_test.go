package route_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

// odd answers in all the ways in which a body can end.
func odd(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Seen", fmt.Sprintf("%s %s %d %s", r.Method, r.Host, len(body), r.Header.Get("X-Long")))
	switch r.URL.Path {
	case "/empty":
		w.WriteHeader(http.StatusNoContent)
	case "/same":
		w.WriteHeader(http.StatusNotModified)
	case "/chunks":
		for i := range 3 {
			fmt.Fprintf(w, "%d %s\n", i, strings.Repeat("x", i*3000))
			http.NewResponseController(w).Flush()
		}
	case "/trailers":
		w.Header().Set("Trailer", "Checksum")
		io.WriteString(w, "body")
		http.NewResponseController(w).Flush()
		w.Header().Set("Checksum", "sum")
	case "/hints":
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "hinted")
	case "/closes":
		w.Header().Set("Connection", "close")
		io.WriteString(w, "the last")
	case "/large":
		io.WriteString(w, strings.Repeat("large ", 50_000))
	default:
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "short")
	}
}

// What a client sends and gets is the same whether its requests are passed on directly
// or by net/http, in one connection after the other.
func TestDirectIsAsNetHTTP(t *testing.T) {
	pool := poolOf(t, odd)
	direct, byHTTP := listenAny(t, pool), strings.TrimPrefix(listenHTTP(t, pool), "http://")
	get := func(path string, more ...string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: web\r\n" + strings.Join(more, "") + "\r\n"
	}
	for name, requests := range map[string][]string{
		"short":                  {get("/"), get("/?a=b%2F;c"), get("/")},
		"kinds":                  {get("/empty"), get("/same"), get("/chunks"), get("/large"), get("/trailers"), get("/"), get("/hints"), get("/")},
		"HEAD":                   {"HEAD / HTTP/1.1\r\nHost: web\r\n\r\n", "HEAD /chunks HTTP/1.1\r\nHost: web\r\n\r\n", get("/")},
		"it closes":              {get("/"), get("/closes")},
		"they close":             {get("/"), get("/", "Connection: close\r\n")},
		"a body":                 {"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\n\r\nabc", get("/")},
		"no body":                {"DELETE / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n", get("/")},
		"a large body":           {get("/"), "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9000\r\n\r\n" + strings.Repeat("x", 9000), get("/")},
		"chunks":                 {"POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", get("/")},
		"a long head":            {get("/"), get("/", "X-Long: "+strings.Repeat("y", 6000)+"\r\n"), get("/")},
		"several at once":        {get("/") + get("/chunks") + get("/")},
		"one and a half":         {get("/") + "GET /chunks HTTP/1.1\r\nHo", "st: web\r\n\r\n"},
		"HTTP/1.0":               {"GET / HTTP/1.0\r\nHost: web\r\n\r\n"},
		"no host":                {"GET / HTTP/1.1\r\n\r\n"},
		"two hosts":              {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
		"two lengths":            {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc"},
		"length and chunks":      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		"a space before a colon": {"GET / HTTP/1.1\r\nHost: a\r\nX-Long : b\r\n\r\n"},
		"a line that goes on":    {"GET / HTTP/1.1\r\nHost: a\r\nX-Long: a\r\n b\r\n\r\n"},
		"lines without a return": {"GET / HTTP/1.1\nHost: a\n\n"},
		"a return in a line":     {"GET / HTTP/1.1\r\nHost: a\r\nX-Long: a\rb\r\n\r\n"},
		"a negative length":      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"},
		"an absolute target":     {"GET http://web/ HTTP/1.1\r\nHost: other\r\n\r\n"},
		"a target without slash": {"OPTIONS * HTTP/1.1\r\nHost: web\r\n\r\n"},
		"an expectation":         {"POST / HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"},
		"kept by its own wish":   {get("/", "Connection: keep-alive\r\n"), get("/", "Connection: Keep-Alive\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := talk(t, direct, requests), talk(t, byHTTP, requests); got != want {
				t.Errorf("directly:\n%s\nby net/http:\n%s", clip(got), clip(want))
			}
		})
	}
}

func clip(text string) string { return text[:min(len(text), 1500)] }

// talk sends requests over one connection and returns all answers, without their dates.
func talk(t *testing.T, address string, requests []string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(deadline))
	var said strings.Builder
	reader := bufio.NewReader(connection)
	for _, request := range requests {
		io.WriteString(connection, request)
		if !strings.HasSuffix(request, "\r\n\r\n") && !strings.HasSuffix(request, "abc") && !strings.HasSuffix(request, "xxx") && !strings.HasSuffix(request, "\n\n") {
			time.Sleep(50 * time.Millisecond)
			fmt.Fprintf(&said, "%d ", answer(t, reader, "GET", &said)) // That of the whole one before.
			continue
		}
		for range max(1, strings.Count(request, "HTTP/1.1\r\nHost: web")) {
			method, _, _ := strings.Cut(request, " ")
			answer(t, reader, method, &said)
		}
	}
	return said.String()
}

func answer(t *testing.T, reader *bufio.Reader, method string, said *strings.Builder) (status int) {
	t.Helper()
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			fmt.Fprintf(said, "ended\n")
			return 0
		}
		body, err := io.ReadAll(response.Body)
		response.Header.Del("Date")
		line := fmt.Sprintf("%s %v %v %d %v %s %v\n", response.Status, response.Header, response.TransferEncoding, response.ContentLength, response.Trailer, body, err)
		final := response.StatusCode >= 200
		if final || !strings.HasSuffix(said.String(), line) { // Net/http may say 100 for itself and for the program.
			said.WriteString(line)
		}
		if final {
			return response.StatusCode
		}
	}
}

// What comes is passed on at once, and when the client goes the program knows.
func TestDirectStreams(t *testing.T) {
	next, gone := make(chan struct{}), make(chan struct{})
	address := listenAny(t, poolOf(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintln(w, i)
			http.NewResponseController(w).Flush()
			<-next
		}
		<-r.Context().Done()
		close(gone)
	}))
	response, err := http1(t).Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	for range 3 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		next <- struct{}{}
	}
	response.Body.Close()
	select {
	case <-gone:
	case <-time.After(deadline):
		t.Error("the program does not know that the client is gone")
	}
}

// A program that closes idle connections loses no request, and one that is replaced
// gets none.
func TestDirectConnectionsFollow(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(odd))
	server.Config.IdleTimeout = time.Millisecond
	closed := make(chan struct{}, 1)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{endpoint(t, server.Listener.Addr().String())})
	url, client := "http://"+listenAny(t, pool), http1(t)
	for range 50 {
		response, err := client.Post(url, "text/plain", strings.NewReader("abc"))
		if status, body := read(t, response, err); status != http.StatusOK || body != "short" {
			t.Fatalf("%d, %q", status, body)
		}
		<-closed // A POST that the program has not read when it closes cannot be repeated.
	}
	pool.Set([]*route.Endpoint{endpoint(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "next") }).Listener.Addr().String())})
	response, err := client.Get(url)
	if status, body := read(t, response, err); status != http.StatusOK || body != "next" {
		t.Errorf("%d, %q", status, body)
	}
}

// A listener that closes ends idle connections at once, and waits for answers.
func TestDirectCloses(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	listener, err := route.ListenAny("127.0.0.1:0", poolOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-end
		}
		io.WriteString(w, "done")
	}))
	if err != nil {
		t.Fatal(err)
	}
	idle, busy := http1(t), http1(t)
	response, err := idle.Get("http://" + listener.Addr())
	read(t, response, err)
	got := make(chan string)
	go func() {
		response, err := busy.Get("http://" + listener.Addr() + "/slow")
		_, body := read(t, response, err)
		got <- body
	}()
	<-begun
	time.AfterFunc(100*time.Millisecond, func() { close(end) })
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	listener.Close(ctx)
	if body := <-got; body != "done" || ctx.Err() != nil {
		t.Errorf("got %q, %v", body, ctx.Err())
	}
}

// What programs answer that is no proper answer is the same, too.
func TestDirectOddAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"until the end":  "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nall of it",
		"nothing":        "",
		"half a head":    "HTTP/1.1 200 OK\r\nX-A",
		"too short":      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"HTTP/1.0":       "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"other than all": "220 ready\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			go func() {
				for {
					connection, err := server.Accept()
					if err != nil {
						return
					}
					connection.Read(make([]byte, 4096))
					io.WriteString(connection, answer)
					connection.Close()
				}
			}()
			pool := route.NewPool("web")
			pool.Set([]*route.Endpoint{endpoint(t, server.Addr().String())})
			status := func(address string) int {
				response, err := http1(t).Get("http://" + address)
				if err != nil {
					return 0
				}
				defer response.Body.Close()
				if _, err := io.ReadAll(response.Body); err != nil {
					return -response.StatusCode
				}
				return response.StatusCode
			}
			if got, want := status(listenAny(t, pool)), status(strings.TrimPrefix(listenHTTP(t, pool), "http://")); got != want {
				t.Errorf("directly %d, by net/http %d", got, want)
			}
		})
	}
}

// While there is no endpoint a client is told so, and keeps its connection.
func TestDirectWithoutAnEndpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: it waits for an endpoint")
	}
	pool := route.NewPool("web")
	address := listenAny(t, pool)
	request := "GET / HTTP/1.1\r\nHost: web\r\n\r\n"
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	reader := bufio.NewReader(connection)
	var said strings.Builder
	io.WriteString(connection, request)
	if status := answer(t, reader, "GET", &said); status != http.StatusServiceUnavailable || !strings.Contains(said.String(), "web is not ready") || !strings.Contains(said.String(), "Retry-After:[1]") {
		t.Errorf("it says %s", &said)
	}
	pool.Set([]*route.Endpoint{endpoint(t, serve(t, odd).Listener.Addr().String())})
	io.WriteString(connection, request)
	if status := answer(t, reader, "GET", &said); status != http.StatusOK {
		t.Errorf("then it says %s", &said)
	}
}
