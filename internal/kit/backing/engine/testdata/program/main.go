// Command program is the only file of the image that the tests run: it serves
// what it sees, and with arguments it prints them and ends.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "check" {
		os.Exit(len(os.Args) - 2)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		file, _ := os.ReadFile("/etc/config/file")
		volume := os.WriteFile("/data/written", []byte("by the container"), 0o600)
		scratch := os.WriteFile("/tmp/written", nil, 0o600)
		host, _ := os.Hostname()
		dir, _ := os.Getwd()
		json.NewEncoder(w).Encode(map[string]string{
			"args": fmt.Sprint(os.Args[1:]), "plain": os.Getenv("PLAIN"), "home": os.Getenv("HOME"), "shell": os.Getenv("ONLY_IN_THE_SHELL"),
			"file": string(file), "errors": fmt.Sprint(volume, scratch), "host": host, "dir": dir, "uid": fmt.Sprint(os.Getuid()),
		})
	})
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		fmt.Println("asked to end")
		os.Exit(7)
	}()
	fmt.Println("serving")
	fmt.Println(http.ListenAndServe(":8080", nil))
}
