// Command registry is the cluster's image registry: go-containerregistry's, with blobs and
// manifests on disk, so that what was pushed is there after a restart.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

const shutdownLimit = 5 * time.Second

func main() {
	address := flag.String("listen", "127.0.0.1:5001", "`address` to listen on")
	dir := flag.String("dir", "", "`directory` the images are kept in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *address, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, dir string) error {
	if dir == "" {
		return errors.New("-dir is needed: it names the directory the images are kept in")
	}
	handler, err := newRegistry(dir, log.Default())
	if err != nil {
		return err
	}
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// newRegistry serves the images kept in dir.
func newRegistry(dir string, logger *log.Logger) (http.Handler, error) {
	blobs, manifests := filepath.Join(dir, "blobs"), filepath.Join(dir, "manifests")
	for _, dir := range []string{blobs, manifests} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	images := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(logger))
	return keepManifests(images, manifests)
}
