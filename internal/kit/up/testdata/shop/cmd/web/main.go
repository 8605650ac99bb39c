// Command web answers on PORT, gracefully.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/shop/greeting"
)

var healthy atomic.Bool

func main() {
	healthy.Store(true)
	fmt.Println("web starts")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Millisecond)
		fmt.Fprint(w, greeting.Text, greeting.Footer)
	})
	http.HandleFunc("/pid", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getpid()) })
	http.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.FormValue("name"))) })
	http.HandleFunc("/exit", func(w http.ResponseWriter, r *http.Request) { os.Exit(3) })
	http.HandleFunc("/sicken", func(w http.ResponseWriter, r *http.Request) { healthy.Store(false) })
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/backend", func(w http.ResponseWriter, r *http.Request) { get(w, os.Getenv("BACKEND")) })
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { file(w, r) })
	server := &http.Server{Addr: ":" + os.Getenv("PORT")}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fmt.Println(err)
			os.Exit(1)
		}
	}()
	<-ctx.Done()
	server.Shutdown(context.Background())
}

func get(w io.Writer, url string) {
	response, err := http.Get(url)
	if err != nil {
		fmt.Fprint(w, err)
		return
	}
	defer response.Body.Close()
	io.Copy(w, response.Body)
}

// file appends the body of a POST to DATA, and answers with what is in it.
func file(w http.ResponseWriter, r *http.Request) {
	f, err := os.OpenFile(os.Getenv("DATA"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer f.Close()
	io.Copy(f, r.Body)
	f.Seek(0, io.SeekStart)
	io.Copy(w, f)
}
