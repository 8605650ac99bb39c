//go:build unix

// Command program is a server for package traffic. It listens where PORT says, and ends
// at once when it is told to, in the middle of what it does: whoever stops it has to
// wait for that. A variable FIXED has it listen on that port instead, LOCK on PORT once
// it has locked that file, and DELAY after that time; with GRACEFUL it ends when it has
// done what it has begun.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var version = "image" // Set by the linker, or by an edit.

func main() {
	if path := os.Getenv("LOCK"); path != "" {
		lock(path)
	}
	streams := grpc.NewServer(grpc.UnknownServiceHandler(echo))
	mux := http.NewServeMux()
	mux.HandleFunc("/", greet)
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/socket", socket)
	server := &http.Server{Addr: ":" + cmp.Or(os.Getenv("FIXED"), os.Getenv("PORT")), ReadHeaderTimeout: time.Minute, Protocols: &http.Protocols{}}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			streams.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	if delay, err := time.ParseDuration(os.Getenv("DELAY")); err == nil {
		time.Sleep(delay)
	}
	if os.Getenv("GRACEFUL") != "" {
		endGracefully(server)
	}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Println(err)
		os.Exit(1)
	}
	select {} // The other goroutine ends the program.
}

// endGracefully has a server finish when the program is told to end.
func endGracefully(server *http.Server) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	go func() {
		<-told
		server.Shutdown(context.Background())
		os.Exit(0)
	}()
	server.RegisterOnShutdown(func() { fmt.Println("ending") })
}

// greet answers with the version, after some time if the query says so.
func greet(w http.ResponseWriter, r *http.Request) {
	if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil {
		http.NewResponseController(w).Flush() // The client knows that it has begun.
		time.Sleep(wait)
	}
	io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, version)
}

// events sends ten events in a second, and then its end.
func events(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 10 {
		fmt.Fprintf(w, "data: %d\n\n", i)
		http.NewResponseController(w).Flush()
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprint(w, "data: end\n\n")
}

var upgrader websocket.Upgrader

// socket returns each message.
func socket(w http.ResponseWriter, r *http.Request) {
	connection, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer connection.Close()
	for {
		kind, message, err := connection.ReadMessage()
		if err != nil {
			return
		}
		connection.WriteMessage(kind, message)
	}
}

// echo returns each message of a gRPC stream.
func echo(_ any, stream grpc.ServerStream) error {
	for {
		message := &wrapperspb.StringValue{}
		if err := stream.RecvMsg(message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}
