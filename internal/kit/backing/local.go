package backing

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// outsidePath are directories of programs that are on root's PATH only.
var outsidePath = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/opt/homebrew/bin"}

// lookPath finds the first of the programs that this machine has.
func lookPath(names ...string) (string, error) {
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return filepath.Abs(found)
		}
		for _, dir := range outsidePath {
			if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return found, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed", names[0])
}

// versionNumber matches the version in what programs print of themselves.
var versionNumber = regexp.MustCompile(`v=?(\d[\w.-]*)`)

// origin names a program: "redis 7.0.15, /usr/bin/redis-server".
func origin(ctx context.Context, program, name string) string {
	said, _ := exec.CommandContext(ctx, program, "--version").Output()
	if match := versionNumber.FindSubmatch(said); match != nil {
		name += " " + string(match[1])
	}
	return name + ", " + program
}

// serverArguments returns the arguments of a server in a container's command
// and arguments. It fails if they call something else.
func serverArguments(words []string, isOption func(string) bool, names ...string) ([]string, error) {
	if len(words) > 0 && path.Base(words[0]) == "docker-entrypoint.sh" {
		words = words[1:]
	}
	if len(words) == 0 || isOption(words[0]) {
		return words, nil
	}
	if !slices.Contains(names, path.Base(words[0])) {
		return nil, fmt.Errorf("its command %s is not the server", words[0])
	}
	return words[1:], nil
}

// environment returns the variables of a local program: ours, the manifests',
// and further ones, which win. Programs of bin come first on its PATH.
func (c Container) environment(bin string, further map[string]string) []string {
	all := map[string]string{}
	for _, entry := range c.Inherited {
		name, value, _ := strings.Cut(entry, "=")
		all[name] = value
	}
	search := all["PATH"]
	maps.Copy(all, c.Env)
	maps.Copy(all, further)
	all["PATH"] = bin + string(os.PathListSeparator) + search
	var list []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}

// exec returns how commands are run beside a local program: by the programs of
// bin, and with the ports that the container has here. edit changes each word;
// a \x00 in what it returns divides it into several.
func (c Container) exec(bin string, env []string, edit func(word string) string) func(context.Context, []string) *exec.Cmd {
	return func(ctx context.Context, command []string) *exec.Cmd {
		words := make([]string, len(command))
		for i, word := range command {
			words[i] = c.leadPorts(edit(word))
		}
		words = strings.Split(strings.Join(words, "\x00"), "\x00")
		program := words[0]
		if beside, err := exec.LookPath(filepath.Join(bin, path.Base(program))); err == nil {
			program = beside
		}
		cmd := exec.CommandContext(ctx, program, words[1:]...)
		cmd.Env, cmd.Dir = env, c.Private
		return cmd
	}
}

// number matches what may be a port.
var number = regexp.MustCompile(`\d+`)

// leadPorts replaces the container's ports in a command that asks how it does.
func (c Container) leadPorts(word string) string {
	return number.ReplaceAllStringFunc(word, func(digits string) string {
		port, err := strconv.ParseInt(digits, 10, 32)
		if here, found := c.Ports[int32(port)]; found && err == nil {
			return strconv.Itoa(here)
		}
		return digits
	})
}
