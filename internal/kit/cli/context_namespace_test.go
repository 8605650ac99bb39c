package cli_test

import (
	"strings"
	"testing"
)

// Objects that name no namespace go to that of the context, as kubectl's do; what
// it is stands there once, unless it is asked to be quiet.
func TestNamespaceOfTheContextIsNamed(t *testing.T) {
	t.Setenv("KO_DOCKER_REPO", "registry.example.com")
	for name, test := range map[string]struct {
		namespace string // of the context
		args      []string
		want      string
	}{
		"none in the context": {"", nil, "objects that name no namespace are in namespace default, because the context team names no other\n"},
		"one in the context":  {"api-ada", nil, "objects that name no namespace are in namespace api-ada, which the context team names\n"},
		"one for all":         {"api-ada", []string{"--namespace", "api-grace"}, ""},
		"one for all, behind": {"api-ada", []string{"--", "--namespace=api-grace"}, ""},
		"quiet":               {"api-ada", []string{"-q"}, ""},
		"another server":      {"", []string{"--", "--server=SERVER"}, "in namespace default, because the context team names no other\n"},
	} {
		t.Run(name, func(t *testing.T) {
			server := apiServer(t)
			useCluster(t, server, "valid", test.namespace, true)
			for _, verb := range []string{"apply", "create", "delete"} {
				args := append([]string{verb, "-k", settings(t)}, test.args...)
				for i := range args {
					args[i] = strings.Replace(args[i], "SERVER", server.URL, 1)
				}
				_, stderr, err := ko(t, args...)
				if err == nil {
					t.Fatal("a cluster that has nothing and takes nothing is no error")
				}
				if test.want != "" && strings.Count(stderr, test.want) != 1 || test.want == "" && strings.Contains(stderr, "no namespace") {
					t.Errorf("%s: it does not say once %q:\n%s", verb, test.want, stderr)
				}
			}
		})
	}
}
