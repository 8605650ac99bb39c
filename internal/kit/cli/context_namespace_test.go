package cli_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
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

// With --namespace, before or behind "--", the record of a set in another namespace is not
// taken for that of this deployment.
func TestNamespaceChoosesTheSet(t *testing.T) {
	t.Setenv("KO_DOCKER_REPO", "registry.example.com")
	id := applyset.ID(applyset.ParentKind, "team", "shop")
	record := `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop", "namespace": "team", "labels": {"` + applyset.IDLabel + `": "` + id + `"},
		"annotations": {"` + applyset.ToolingAnnotation + `": "ko/v1", "` + applyset.KindsAnnotation + `": "ConfigMap", "` + applyset.NamespacesAnnotation + `": "api-grace"}}}`
	server := apiServer(t, map[string]string{
		"/api/v1/configmaps":                               `{"apiVersion": "v1", "kind": "ConfigMapList", "items": [` + record + `]}`,
		"/api/v1/namespaces/team/configmaps/shop":          record,
		"/api/v1/namespaces/api-grace/configmaps/settings": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "api-grace", "labels": {"` + applyset.PartOfLabel + `": "` + id + `"}}}`,
	})
	useCluster(t, server, "valid", "api-grace", true)
	const want = "configmap/settings in namespace api-grace is part of the set whose record is configmap/shop in namespace team, and --namespace chooses another namespace: "
	for name, test := range map[string]struct {
		args   []string
		chosen bool
	}{
		"before": {[]string{"--namespace=api-grace"}, true},
		"behind": {[]string{"--", "--namespace=api-grace"}, true},
		"none":   {nil, false},
	} {
		for _, verb := range []string{"apply --prune", "diff --prune", "delete --wait=false"} {
			args := append(strings.Fields(verb+" --applyset shop -k"), settings(t))
			_, _, err := ko(t, append(args, test.args...)...)
			if said := err != nil && strings.Contains(err.Error(), want); said != test.chosen {
				t.Errorf("%s, %s: error %v", verb, name, err)
			}
		}
	}
}
