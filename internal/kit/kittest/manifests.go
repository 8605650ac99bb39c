package kittest

import (
	"fmt"
	"strings"
)

// Deployment is a Deployment in namespace api with one container; fields are
// lines of its specification without indent.
func Deployment(name, fields string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: api}\nspec:\n" + Template(name, fields) + "---\n"
}

// Template is a pod template below spec.
func Template(name, fields string) string {
	return "  template:\n    metadata: {labels: {app: " + name + "}}\n    spec:\n      containers:\n      - name: main\n        image: ko://example.com/cmd/" + name + "\n" +
		indent(fields, "        ")
}

func indent(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		out.WriteString(by + strings.TrimRight(line, "\n") + "\n")
	}
	return out.String()
}

// Service is a Service in namespace api of a workload of the same name.
func Service(name, ports string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: api}\nspec: {selector: {app: %s}, ports: %s}\n---\n", name, name, ports)
}

// Town is what tests put beside a workload app: workloads and Services that it
// may refer to.
var Town = strings.Join([]string{
	Deployment("orders-svc", ""), Service("orders-svc", "[{port: 80}]"),
	Deployment("postgres", ""), Service("postgres", "[{port: 5432}]"),
	Deployment("cache", ""), Service("cache", "[{port: 6379}, {name: metrics, port: 9121}]"),
	Deployment("nats", ""), Service("nats", "[{port: 4222, targetPort: 14222}]"),
	Deployment("shop", ""), Service("shop", "[{port: 8080}]"),
	"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: mongo, namespace: api}\nspec:\n  replicas: 3\n" + Template("mongo", "ports: [{containerPort: 27017}]") + "---\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: mongo, namespace: api}\nspec: {clusterIP: None, selector: {app: mongo}, ports: [{port: 1017, targetPort: 27017}]}\n---\n",
	strings.ReplaceAll(Deployment("billing", "")+Service("billing", "[{port: 80}, {port: 443}]"), "namespace: api", "namespace: back"),
	"apiVersion: v1\nkind: Service\nmetadata: {name: outside, namespace: api}\nspec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}\n---\n",
}, "")
