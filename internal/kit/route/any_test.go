package route_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

// listenAny serves a pool until the test ends and returns its address.
func listenAny(t *testing.T, pool *route.Pool) string {
	t.Helper()
	listener, err := route.ListenAny("127.0.0.1:0", pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(listener) })
	return listener.Addr()
}

// saying returns a handler that says something.
func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

// An idle connection to HTTP follows to the next endpoint: a relay would go on
// with the one before.
func TestAnyTellsHTTP(t *testing.T) {
	client, pool := http1(t), poolOf(t, saying("one"))
	url := "http://" + listenAny(t, pool)
	for _, want := range []string{"one", "two"} {
		response, err := client.Get(url)
		if status, body := read(t, response, err); status != http.StatusOK || body != want {
			t.Errorf("got %d, %q, want %q", status, body, want)
		}
		pool.Set([]*route.Endpoint{endpoint(t, serve(t, saying("two")).Listener.Addr().String())})
	}
}

func TestAnyPassesOnWhatIsNotHTTP(t *testing.T) {
	for name, test := range map[string]struct{ greeting, says string }{
		"the client begins":         {"", "*1\r\n"},
		"with what looks like HTTP": {"", "GET key\r\n"},
		"the server begins":         {"220 ready\r\n", "HELO\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			go func() {
				connection, err := server.Accept()
				if err != nil {
					return
				}
				defer connection.Close()
				io.WriteString(connection, test.greeting)
				line, _ := bufio.NewReader(connection).ReadString('\n')
				io.WriteString(connection, line)
			}()
			pool := route.NewPool("raw")
			pool.Set([]*route.Endpoint{endpoint(t, server.Addr().String())})
			connection, err := net.Dial("tcp", listenAny(t, pool))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			reader := bufio.NewReader(connection)
			if test.greeting != "" {
				if got, err := reader.ReadString('\n'); got != test.greeting {
					t.Fatalf("greeting %q, %v", got, err)
				}
			}
			io.WriteString(connection, test.says)
			if got, err := reader.ReadString('\n'); got != test.says {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
