package backing

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/process"
)

// natsWay runs NATS as it is installed.
type natsWay struct{ program string }

func findNATS(_ context.Context, words []string) (Way, error) {
	if _, err := natsArguments(words); err != nil {
		return nil, err
	}
	program, err := lookPath("nats-server")
	if err != nil {
		return nil, err
	}
	return natsWay{program}, nil
}

func natsArguments(words []string) ([]string, error) {
	return serverArguments(words, func(word string) bool { return strings.HasPrefix(word, "-") }, "nats-server")
}

func (natsWay) Local() bool { return true }

// monitoringPort is where NATS says over HTTP how it does.
const monitoringPort = 8222

func (w natsWay) Prepare(ctx context.Context, c Container) (*Program, error) {
	arguments, err := natsArguments(c.words())
	if err != nil {
		return nil, err
	}
	data := c.directory(natsStore(arguments), "/data", "/data/jetstream")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of its data: %w", err)
	}
	// The last of several is what counts.
	arguments = append(slices.Clone(arguments), "--addr=127.0.0.1", "--port="+strconv.Itoa(c.port(natsPort)), "--store_dir="+data)
	if port, found := c.Ports[monitoringPort]; found {
		arguments = append(arguments, "--http_port="+strconv.Itoa(port))
	}
	bin := filepath.Dir(w.program)
	env := c.environment(bin, nil)
	return &Program{
		Origin:  origin(ctx, w.program, "nats"),
		Command: process.Command{Path: w.program, Args: arguments, Env: env, Dir: data},
		Exec:    c.exec(bin, env, func(word string) string { return word }),
	}, nil
}

// natsStore returns the directory that the arguments give to JetStream, "" if
// they give none.
func natsStore(arguments []string) string {
	for i, argument := range arguments {
		flag, value, assigned := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		switch {
		case flag != "sd" && flag != "store_dir":
		case assigned:
			return value
		case i+1 < len(arguments):
			return arguments[i+1]
		}
	}
	return ""
}
