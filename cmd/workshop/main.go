// Command workshop is for those who give the workshop of docs/workshop and those
// who take it: it looks at the laptop and at the cluster, and says what it saw
// and what to do next.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends what does not end by itself.
	log.SetOutput(io.Discard)    // ko's libraries log what they also return.
	if err := command().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		os.Exit(1)
	}
}

// errSaid is for a failure that has been shown already.
var errSaid = errors.New("not everything is as it should be")

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "workshop",
		Short:         "Check, prepare and reset the workshop",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(checkCommand(), doctorCommand(), resetCommand(), classCommand())
	return root
}
