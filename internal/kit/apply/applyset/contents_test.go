package applyset

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

func TestParse(t *testing.T) {
	for name, test := range map[string]struct {
		kinds, namespaces string
		want              []string // parts of the error; empty if there must be no error
	}{
		"empty":                           {"", "", nil},
		"one each":                        {"ConfigMap", "monitoring", nil},
		"several":                         {"Certificate.cert-manager.io,ConfigMap,Deployment.apps", "a,b", nil},
		"a space":                         {"ConfigMap, Secret", "", []string{KindsAnnotation + ` has " Secret"`, "no spaces"}},
		"a comma at the end":              {"ConfigMap,", "", []string{`has ""`}},
		"a version":                       {"apps/v1", "", []string{`has "apps/v1"`}},
		"no kind":                         {".apps", "", []string{`has ".apps"`}},
		"a group that ends in a dot":      {"Deployment.", "", []string{`has "Deployment."`}},
		"a group of other characters":     {"Deployment.a_b", "", []string{`has "Deployment.a_b"`}},
		"a namespace of other characters": {"ConfigMap", "a,B", []string{NamespacesAnnotation + ` has "B"`}},
		"an empty namespace":              {"ConfigMap", ",a", []string{`has ""`}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := parse(map[string]string{KindsAnnotation: test.kinds, NamespacesAnnotation: test.namespaces})
			wantError(t, err, test.want...)
			if err == nil && (found.kinds() != test.kinds || found.namespacesBut("") != test.namespaces) {
				t.Errorf("%q and %q", found.kinds(), found.namespacesBut(""))
			}
		})
	}
	_, err := parse(map[string]string{"applyset.kubernetes.io/contains-group-resources": "configmaps"})
	wantError(t, err, "lacks the annotation "+KindsAnnotation)
	found, err := parse(map[string]string{KindsAnnotation: "Secret"})
	if err != nil || found.Namespaces.Len() > 0 {
		t.Errorf("without further namespaces: %v, error %v", found, err)
	}
}

func TestUnion(t *testing.T) {
	one, two := Of(decode(t, "v1 Service a/web", "v1 Namespace a")), Of(decode(t, "apps/v1 Deployment b/web", "v1 Service b/web"))
	both := one.Union(two)
	if both.kinds() != "Deployment.apps,Namespace,Service" || !both.Namespaces.Equal(sets.New("a", "b")) {
		t.Errorf("%q in %v", both.kinds(), both.Namespaces)
	}
	if one.kinds() != "Namespace,Service" || one.namespacesBut("") != "a" {
		t.Errorf("one of the two has become %q in %v", one.kinds(), one.Namespaces)
	}
}
