package route_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestARequestArrivesUnchanged(t *testing.T) {
	var got *http.Request
	url := listenHTTP(t, poolOf(t, func(_ http.ResponseWriter, r *http.Request) { got = r }))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/a%2Fb?c;d&e=%zz", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "orders-svc.api:80"
	request.Header.Set("X-Forwarded-For", "192.0.2.1")
	request.Header.Set("Forwarded", "for=192.0.2.1")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "")
	response, err := http1(t).Do(request)
	read(t, response, err)
	if got.Host != request.Host || got.RequestURI != "/a%2Fb?c;d&e=%zz" {
		t.Errorf("got %s of %s", got.RequestURI, got.Host)
	}
	request.Header.Del("User-Agent")
	if fmt.Sprint(got.Header) != fmt.Sprint(request.Header) {
		t.Errorf("got header %v, want %v", got.Header, request.Header)
	}
}

func TestTheProtocolIsTheClients(t *testing.T) {
	url := listenHTTP(t, poolOf(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	for want, client := range map[string]*http.Client{"HTTP/1.1": http1(t), "HTTP/2.0": http2(t)} {
		response, err := client.Get(url)
		if _, got := read(t, response, err); got != want || response.Proto != want {
			t.Errorf("a request in %s was sent on in %s and answered in %s", want, got, response.Proto)
		}
	}
}

// TestStream talks in both directions at once and ends with trailers in both, as
// gRPC does.
func TestStream(t *testing.T) {
	url := listenHTTP(t, poolOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		http.NewResponseController(w).Flush()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintln(w, "got", lines.Text())
			http.NewResponseController(w).Flush()
		}
		fmt.Fprintln(w, r.Trailer.Get("Checksum"))
		w.Header().Set("Grpc-Status", "0")
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", "not announced")
	}))
	body, send := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Trailer = http.Header{"Checksum": {"sum"}}
	response, err := http2(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for i := range 3 {
		fmt.Fprintln(send, i)
		if want := fmt.Sprintf("got %d", i); !lines.Scan() || lines.Text() != want {
			t.Fatalf("got %q, want %q", lines.Text(), want)
		}
	}
	send.Close()
	if !lines.Scan() || lines.Text() != "sum" || lines.Scan() {
		t.Errorf("got %q instead of the request's trailer and the end", lines.Text())
	}
	if response.Trailer.Get("Grpc-Status") != "0" || response.Trailer.Get("Grpc-Message") != "not announced" {
		t.Errorf("got trailers %v", response.Trailer)
	}
}

func TestServerSentEventsArriveAtOnce(t *testing.T) {
	next := make(chan struct{})
	url := listenHTTP(t, poolOf(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			fmt.Fprintln(w, i)
			http.NewResponseController(w).Flush()
			<-next
		}
	}))
	response, err := http1(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for range 3 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		next <- struct{}{}
	}
}

func TestUpgrade(t *testing.T) {
	url := listenHTTP(t, poolOf(t, func(w http.ResponseWriter, r *http.Request) {
		connection, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		io.Copy(connection, buffer)
	}))
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(deadline))
	fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != "echo" {
		t.Fatalf("got %+v, %v", response, err)
	}
	for _, line := range []string{"one\n", "two\n"} {
		io.WriteString(connection, line)
		if got, err := reader.ReadString('\n'); got != line {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}
