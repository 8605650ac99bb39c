package plan

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The cluster has set more than the manifest says; that is no difference.
const pods = `
spec:
  replicas: 1
  template:
    spec:
      schedulerName: default-scheduler
      containers:
      - name: logs
        image: example.com/logs:1
      - name: web
        image: example.com/web:1
        args: [--verbose]
        env:
        - {name: COLOR, value: blue}
        resources: {limits: {cpu: "1"}}
        terminationMessagePath: /dev/termination-log
`

func TestDifferences(t *testing.T) {
	for name, test := range map[string]struct {
		wanted string // of the container web
		want   []string
	}{
		"none":             {`{name: web, image: "example.com/web:1", volumeMounts: [], securityContext: {}}`, nil},
		"the same amount":  {`{name: web, resources: {limits: {cpu: 1000m}}}`, nil},
		"an image":         {`{name: web, image: "example.com/web:2"}`, []string{"spec.template.spec.containers[web].image: example.com/web:1 is there, example.com/web:2 is wanted"}},
		"an argument more": {`{name: web, args: [--verbose, --json]}`, []string{"spec.template.spec.containers[web].args[1]: nothing is there, --json is wanted"}},
		"a variable":       {`{name: web, env: [{name: COLOR, value: red}]}`, []string{"spec.template.spec.containers[web].env[COLOR].value: another value is there, and neither is shown"}},
		"another container": {`{name: www, image: "example.com/web:1"}`, []string{
			"spec.template.spec.containers[www].image: nothing is there, example.com/web:1 is wanted",
			"spec.template.spec.containers[www].name: nothing is there, www is wanted"}},
		"a long value": {`{name: web, image: ` + strings.Repeat("i", 200) + `}`,
			[]string{"spec.template.spec.containers[web].image: example.com/web:1 is there, " + strings.Repeat("i", 100) + "… is wanted"}},
		"many": {`{name: web, args: [a, b, c, d, e, f]}`, []string{
			"spec.template.spec.containers[web].args[0]: --verbose is there, a is wanted",
			"spec.template.spec.containers[web].args[1]: nothing is there, b is wanted",
			"spec.template.spec.containers[web].args[2]: nothing is there, c is wanted",
			"spec.template.spec.containers[web].args[3]: nothing is there, d is wanted",
			"spec.template.spec.containers[web].args[4]: nothing is there, e is wanted",
			"and 1 more"}},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := fields(t, "spec: {replicas: 2, template: {spec: {containers: ["+test.wanted+"]}}}")
			if got := differences(wanted, fields(t, pods), "spec.template"); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// The values of a Secret are not shown.
func TestDifferencesOfASecret(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\n"
	for field, want := range map[string]string{"data": "data.password", "stringData": "stringData.password"} {
		got := differences(fields(t, secret+field+": {password: bmV3}"), fields(t, secret+field+": {password: b2xk}"), field)
		if !slices.Equal(got, []string{want + ": another value is there, and neither is shown"}) {
			t.Errorf("%q", got)
		}
	}
	if got := differences(fields(t, secret+"type: new"), fields(t, secret+"type: old"), "type"); !slices.Equal(got, []string{"type: old is there, new is wanted"}) {
		t.Errorf("%q", got)
	}
}

func fields(t *testing.T, text string) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
