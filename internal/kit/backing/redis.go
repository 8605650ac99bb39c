package backing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/process"
)

// redisWay runs Redis or Valkey as it is installed.
type redisWay struct{ program string }

func findRedis(ctx context.Context, words []string, programs ...string) (Way, error) {
	if _, err := redisArguments(words); err != nil {
		return nil, err
	}
	program, err := lookPath(programs...)
	if err != nil {
		return nil, err
	}
	return redisWay{program}, nil
}

func redisArguments(words []string) ([]string, error) {
	isOption := func(word string) bool { return strings.HasPrefix(word, "-") || isConfiguration(word) }
	return serverArguments(words, isOption, "redis-server", "valkey-server")
}

func isConfiguration(word string) bool { return strings.HasSuffix(word, ".conf") }

func (redisWay) Local() bool { return true }

func (w redisWay) Prepare(ctx context.Context, c Container) (*Program, error) {
	arguments, err := redisArguments(c.words())
	if err != nil {
		return nil, err
	}
	data := c.directory("/data", "/bitnami/redis/data", "/bitnami/valkey/data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of its data: %w", err)
	}
	client := map[string]string{}
	if password := c.redisPassword(); password != "" {
		client["REDISCLI_AUTH"] = password
		if arguments, err = c.requirePassword(arguments, password); err != nil {
			return nil, err
		}
	}
	port := strconv.Itoa(c.port(redisPort))
	bin := filepath.Dir(w.program)
	name, _, _ := strings.Cut(filepath.Base(w.program), "-")
	return &Program{
		Origin: origin(ctx, w.program, name),
		Command: process.Command{
			Path: w.program, Env: c.environment(bin, nil), Dir: data,
			// The last of several is what counts.
			Args: append(arguments, "--port", port, "--bind", "127.0.0.1", "--dir", data, "--daemonize", "no", "--logfile", ""),
		},
		Exec: c.exec(bin, c.environment(bin, client), askPort(port)),
	}, nil
}

// redisPassword returns the one that Bitnami's images take from the
// environment, "" if there is none.
func (c Container) redisPassword() string {
	if !isBitnami(c.Image) {
		return ""
	}
	if c.Env["VALKEY_PASSWORD"] != "" {
		return c.Env["VALKEY_PASSWORD"]
	}
	return c.Env["REDIS_PASSWORD"]
}

// requirePassword has the server ask for a password, which stands in a file, as
// others can read the command line.
func (c Container) requirePassword(arguments []string, password string) ([]string, error) {
	if strings.ContainsAny(password, "\r\n") {
		return nil, errors.New("the password of Redis has more than one line")
	}
	settings := "requirepass " + strconv.Quote(password) + "\nmasterauth " + strconv.Quote(password) + "\n"
	if len(arguments) > 0 && isConfiguration(arguments[0]) {
		settings = "include " + strconv.Quote(arguments[0]) + "\n" + settings
		arguments = arguments[1:]
	}
	path := filepath.Join(c.Private, "redis.conf")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration of Redis: %w", err)
	}
	return append([]string{path}, arguments...), nil
}

// clientProgram matches the client in a command.
var clientProgram = regexp.MustCompile(`(^|[\s/;&|("'])(redis-cli|valkey-cli)($|[\s;&|)"'])`)

// askPort makes the client ask the server at a port, where the command does not
// say which: it has no variable for that.
func askPort(port string) func(word string) string {
	return func(word string) string {
		separator := "\x00" // The port becomes two words of the command,
		if strings.ContainsAny(word, " \t\n") {
			separator = " " // or stands in a script.
		}
		return clientProgram.ReplaceAllString(word, "${1}${2}"+separator+"-p"+separator+port+"${3}")
	}
}
