package workload_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const fixed = "ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]"

const (
	cannotMove = "no variable or argument in the manifests can lead it to another port: "
	remedy     = "if its program reads the port from one, state it, such as METRICS_PORT=9090 or --metrics-port=9090; " +
		"if it does not listen there, remove the port from the manifest"
)

func TestConflicts(t *testing.T) {
	const told = "\nenv: [{name: METRICS_ADDR, value: ':9090'}]"
	two := func(second string) string {
		return strings.TrimSuffix(deployment("a", "ports: [{containerPort: 8080}]"), "---\n") + "      - {name: proxy, image: 'ko://example.com/cmd/proxy', " + second + "}\n---\n"
	}
	for what, test := range map[string]struct {
		manifests string
		front     int
		want      []string
	}{
		"fixed in two workloads": {deployment("a", fixed) + deployment("b", fixed), 8000, []string{
			"container main of deployment.apps/a and container main of deployment.apps/b listen on port 9090, and " + cannotMove + remedy + "; or run only one of them here, by its name"}},
		"fixed in three, with a Service": {deployment("a", fixed) + deployment("b", fixed) + service("b", "[{port: 80, targetPort: 8080}]") + deployment("c", fixed), 8000, []string{
			"container main of deployment.apps/a, container main of deployment.apps/b and container main of deployment.apps/c listen on port 9090, and " + cannotMove + remedy +
				"; or run only one of them here, by its name, with --service b=HOST:PORT for one that runs elsewhere"}},
		"fixed at the front door": {deployment("a", fixed), 9090, []string{
			"container main of deployment.apps/a listens on port 9090, which is the port of the front door, and " + cannotMove + "choose another front door with --port, or, " + remedy}},
		"a target of Services": {deployment("a", "ports: [{containerPort: 80}]") + service("a", "[{port: 9090}]") + deployment("b", fixed), 8000, []string{
			"container main of deployment.apps/a and container main of deployment.apps/b listen on port 9090, and " + cannotMove + remedy + "; or run only one of them here, by its name"}},
		"declared by two containers": {two("ports: [{containerPort: 8080}]"), 8000, []string{
			"deployment.apps/a: containers main and proxy both have port 8080: the containers of a pod share one network, in a cluster too; give one of them another port"}},
		"PORT of two containers": {two("env: [{name: PORT, value: '8080'}]"), 8000, []string{
			"deployment.apps/a: containers main and proxy both have port 8080: the containers of a pod share one network, in a cluster too; give one of them another port"}},

		"PORT is led":                     {deployment("a", "") + deployment("b", ""), 8080, nil},
		"told in one":                     {deployment("a", fixed+told) + deployment("b", fixed), 8080, nil},
		"told by an argument":             {deployment("a", fixed+"\nargs: [--port-metrics, '9090']") + deployment("b", fixed), 8080, nil},
		"fixed in one":                    {deployment("a", fixed), 8080, nil},
		"a probe of another container's":  {two("readinessProbe: {httpGet: {port: 8080}}"), 8080, nil},
		"PORT of a shared ConfigMap":      {two("envFrom: [{configMapRef: {name: settings}}]") + settings, 8080, nil},
		"UDP":                             {two("ports: [{containerPort: 8080, protocol: UDP}]"), 8080, nil},
		"the same port declared twice":    {deployment("a", "ports: [{containerPort: 8080}, {name: x, containerPort: 8080}]"), 8080, nil},
		"a Job that ends before":          {deployment("a", fixed) + "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: api}\nspec:\n" + strings.ReplaceAll(deployment("j", fixed)[strings.Index(deployment("j", fixed), "  template:"):], "---\n", ""), 8080, nil},
		"an init container's, that ended": {strings.TrimSuffix(deployment("a", fixed), "---\n") + "      initContainers: [{name: i, image: 'ko://example.com/i', ports: [{containerPort: 1}, {containerPort: 9090}]}]\n---\n", 8080, nil},
	} {
		var got []string
		for _, err := range read(t, test.manifests).Conflicts(test.front) {
			got = append(got, err.Error())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: conflicts\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestConflictsAreThoseOfTheWorkloadsThatAreRun(t *testing.T) {
	plan := read(t, deployment("a", fixed)+deployment("b", fixed))
	if err := plan.Only([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	if conflicts := plan.Conflicts(8080); conflicts != nil {
		t.Error(errors.Join(conflicts...))
	}
}

func TestAFixedPortLimitsReplicas(t *testing.T) {
	manifests := strings.ReplaceAll(deployment("a", fixed)+deployment("b", ""), "spec:\n  template", "spec:\n  replicas: 3\n  template")
	plan := read(t, manifests)
	note := "deployment.apps/a: only 1 of 3 replicas is run: container main listens on port 9090, and " + cannotMove + remedy
	wantNotes(t, plan, note)
	if a, b := find(t, plan, "a").Replicas, find(t, plan, "b").Replicas; a != 1 || b != 3 {
		t.Errorf("%d and %d replicas, want 1 and 3", a, b)
	}
	if err := plan.Only([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, plan, note)
	if err := plan.Only([]string{"a"}); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, plan, note)
}
