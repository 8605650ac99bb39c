//go:build unix

package supervisor

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

// settings tell an instance to listen on other ports than those of the container, in
// the way of `ko up`.
type settings struct {
	rules  rewrite.Rules
	probes rewrite.Rules // for the commands of probes
	port   int           // PORT, 0 if the program is not told
}

func newSettings(ports map[int32]int, port int32) settings {
	own := func(port int32) (int, bool) {
		here, found := ports[port]
		return here, found
	}
	hosts := rewrite.Local(own, func(string) rewrite.Target { return nil })
	find := func(host string) rewrite.Target {
		target := hosts(host)
		if target == nil || host != "localhost" && !strings.HasPrefix(host, "127.") {
			return target
		}
		// A URL with such a host is one that somebody is sent to, and the door's.
		return func(scheme string, port int32) (string, bool) {
			if scheme != "" {
				return "", false
			}
			return target(scheme, port)
		}
	}
	return settings{rules: rewrite.Rules{Find: find, Own: own}, probes: rewrite.Rules{Find: hosts, Own: own}, port: ports[port]}
}

// arguments returns what the program is called with.
func (s settings) arguments(args []string) []string { return s.rules.Args(args) }

// probeCommand returns what a probe calls, which asks by URLs, too.
func (s settings) probeCommand(command []string) []string { return s.probes.Args(command) }

// environment returns the environment of the program. What the kubelet says of
// Services stays as it is.
func (s settings) environment() []string {
	all := variables(os.Environ())
	own := maps.Clone(all)
	maps.DeleteFunc(own, func(name, _ string) bool { return isServiceLink(name, all) })
	told := map[string]string{}
	for _, setting := range s.rules.Variables(rewrite.Variables(own)) {
		told[setting.Name] = setting.Value
	}
	if s.port != 0 && (told["PORT"] == "" || told["PORT"] == all["PORT"]) {
		told["PORT"] = strconv.Itoa(s.port)
	}
	maps.Copy(all, told)
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		entries = append(entries, name+"="+all[name])
	}
	return entries
}

// isServiceLink tells the variables that a kubelet adds for a Service X, such as
// X_SERVICE_PORT and X_PORT_80_TCP_ADDR
// (https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables).
// A variable of the container's own may have the same name.
func isServiceLink(name string, all map[string]string) bool {
	for i := range name {
		rest := name[i:]
		if _, isService := all[name[:i]+"_SERVICE_HOST"]; isService && serviceLink.MatchString(rest) {
			return rest != "_PORT" || strings.Contains(all[name], "://")
		}
	}
	return false
}

// serviceLink is what is added to the name of a Service.
var serviceLink = regexp.MustCompile(`^(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT|_PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)$`)

// variables returns an environment by name.
func variables(entries []string) map[string]string {
	all := map[string]string{}
	for _, entry := range entries {
		if name, value, found := strings.Cut(entry, "="); found {
			all[name] = value
		}
	}
	return all
}
