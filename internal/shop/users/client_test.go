package users

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// client has an address of its own.
type client struct {
	t    *testing.T
	http *http.Client
}

func clientAt(t *testing.T, address string) client {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skip("this machine has one loopback address only: ", err)
	}
	l.Close()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return client{t, &http.Client{Transport: transport}}
}

// answer is one that has been read.
type answer struct {
	*http.Response
	body string
}

func (c client) logIn(base, email, password string) answer {
	return c.post(base+"/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// signUp signs up a user whose password is xxxxxxxx.
func (c client) signUp(base, email string) answer {
	return c.post(base+"/users", fmt.Sprintf(`{"name":"Ann","email":%q,"password":"xxxxxxxx"}`, email))
}

// post may be called by any goroutine: without an answer it reports an error and returns
// one with status 0.
func (c client) post(url, body string) answer {
	c.t.Helper()
	response, err := c.http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return answer{Response: &http.Response{Header: http.Header{}}}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Error(err)
	}
	return answer{response, string(text)}
}

func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s, want %d", a.Status, a.body, status)
	}
	return a
}
