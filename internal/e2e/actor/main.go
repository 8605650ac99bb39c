// Command actor is a program of the end-to-end suite that starts, serves and ends as
// its arguments say: well, late, or not at all.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := act(); err != nil {
		fmt.Fprintln(os.Stderr, "actor:", err)
		os.Exit(1)
	}
}

func act() error {
	needs := flag.String("needs", "", "`address` of a server without which it ends")
	within := flag.Duration("within", time.Second, "how long it tries to reach that server")
	takes := flag.Int("takes", 0, "`MiB` of memory to take")
	after := flag.Duration("after", 0, "how long it works before it ends or serves")
	exit := flag.Int("exit", -1, "`code` to end with; without it, it serves")
	once := flag.String("once", "", "`file` that is made the first time, when it ends with exit code 1")
	ready := flag.Duration("ready", 0, "how long it serves until /ready answers with 200, or never if it is negative")
	slow := flag.Duration("slow", 0, "how long it takes to end when it is asked to")
	flag.Parse()
	fmt.Println("the actor starts")
	if err := fail(*needs, *within, *once); err != nil {
		return err
	}
	memory := make([]byte, *takes<<20)
	for i := range memory {
		memory[i] = byte(i)
	}
	time.Sleep(*after)
	if *exit >= 0 {
		fmt.Printf("the actor ends with %d\n", *exit)
		os.Exit(*exit)
	}
	return serve(*ready, *slow)
}

// fail ends the program where something is missing, or the first time.
func fail(needs string, within time.Duration, once string) error {
	if needs != "" {
		if err := reach(needs, within); err != nil {
			return err
		}
	}
	if once != "" {
		if _, err := os.Stat(once); err != nil {
			return errors.Join(errors.New("not the first time"), os.WriteFile(once, nil, 0o600))
		}
	}
	return nil
}

// reach connects to an address. A network that does not know this pod yet may drop what
// it sends, so it tries again until the time is over.
func reach(address string, within time.Duration) error {
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

func serve(ready, slow time.Duration) error {
	begin := time.Now()
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if ready < 0 || time.Since(begin) < ready {
			http.Error(w, "the actor is not ready", http.StatusServiceUnavailable)
		}
	})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		time.Sleep(slow)
		os.Exit(0)
	}()
	server := &http.Server{Addr: ":8080", ReadHeaderTimeout: time.Second}
	return server.ListenAndServe()
}
