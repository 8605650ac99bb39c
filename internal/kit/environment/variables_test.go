package environment_test

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/environment"
)

// source has a ConfigMap config, a link and given variables.
func source() *environment.Source {
	return &environment.Source{
		Workload: "pod/app",
		ConfigMap: func(name string) map[string][]byte {
			return map[string]map[string][]byte{"config": {"PORT": []byte("3000"), "ORT": []byte("1"), "A": []byte("config")}}[name]
		},
		Secret: func(string) map[string][]byte { return nil },
		Links:  map[string]string{"APP_SERVICE_PORT": "80"},
		Given:  map[string]string{"GIVEN": "given", "PORT": "7"},
	}
}

func container(t *testing.T, text string) corev1.Container {
	t.Helper()
	var c corev1.Container
	if err := yaml.UnmarshalStrict([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVariables(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"{}": {},
		"env: [{name: A, value: a}, {name: B, value: $(A)$(GIVEN)$(C)}, {name: C, value: $(B)}]": {"A": "a", "B": "a$(GIVEN)$(C)", "C": "a$(GIVEN)$(C)"},
		"envFrom: [{configMapRef: {name: config}}]":                                              {"PORT": "3000", "ORT": "1", "A": "config"},
		"envFrom: [{prefix: P, configMapRef: {name: config}}]":                                   {"PPORT": "3000", "PORT": "1", "PA": "config"},
		"envFrom: [{configMapRef: {name: config}}]\nenv: [{name: A, value: x$(A)}]":              {"PORT": "3000", "ORT": "1", "A": "xconfig"},
		"env: [{name: PORT, valueFrom: {configMapKeyRef: {name: config, key: PORT}}}]":           {"PORT": "3000"},
		"env: [{name: PORT, value: $(APP_SERVICE_PORT)}]":                                        {"PORT": "80"},
		"env: [{name: GIVEN, value: manifest}, {name: A, value: $(GIVEN)}]":                      {"A": "given"},
	} {
		got, err := source().Variables(container(t, text))
		if err != nil {
			t.Error(err)
		}
		want["GIVEN"] = "given"
		if !maps.Equal(got, want) {
			t.Errorf("%s: variables %v, want %v", text, got, want)
		}
	}
}

func TestVariablesThatAreMissing(t *testing.T) {
	for text, want := range map[string]string{
		"env: [{name: KO_TEST_A, valueFrom: {secretKeyRef: {name: keys, key: a}}}]":   "pod/app: KO_TEST_A is in Secret keys, key a, which is not in the kustomization",
		"env: [{name: A, valueFrom: {configMapKeyRef: {name: config, key: b}}}]":      "key b, which ConfigMap config does not have",
		"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]":         "variable A: a pod has no field spec.hostname",
		"env: [{name: A, valueFrom: {fileKeyRef: {path: a, key: b, volumeName: c}}}]": "from a source that ko up does not know",
	} {
		c := container(t, text)
		if _, err := source().Variables(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
		lenient := source()
		lenient.Lenient = true
		if got, err := lenient.Variables(c); err != nil || len(got) != 1 {
			t.Errorf("%s: leniently, error %v and variables %v, want only the given one", text, err, got)
		}
	}
}

func TestExpand(t *testing.T) {
	known := func(name string) (string, bool) { return "a", name == "A" }
	for text, want := range map[string]string{
		"": "", "$": "$", "$$": "$", "$(A)": "a", "$$(A)": "$(A)", "$$$(A)": "$a", "$(B)": "$(B)", "$(A": "$(A", "$A": "$A", "$((A))": "$((A))", "x$(A)$(A)y": "xaay",
	} {
		if got := environment.Expand(text, known); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
