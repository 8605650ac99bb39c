// Command program answers with what it was built with.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

var version, behaviour string // Set by the linker.

func main() {
	switch behaviour {
	case "crash":
		fmt.Println("crashing")
		os.Exit(7)
	case "orphan":
		// The grandchild is left to whoever adopts orphans.
		exec.Command("sh", "-c", "sleep 0.1 & exit").Run()
	}
	if behaviour == "brief" {
		time.AfterFunc(2*time.Second, func() { os.Exit(8) })
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(9) })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s %s %d %d", version, os.Args[0], os.Getppid(), os.Getpid())
	})
	go http.Serve(listener, nil)
	for received := range signals {
		fmt.Println("received", received)
		if received == syscall.SIGTERM && behaviour != "stubborn" {
			os.Exit(3)
		}
	}
}
