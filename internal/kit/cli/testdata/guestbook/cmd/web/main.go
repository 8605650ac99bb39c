// Command web says hello, then runs until it is told to stop.
package main

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"example.com/guestbook/greeting"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("web:", greeting.Text)
	<-ctx.Done()
}
