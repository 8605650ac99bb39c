//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// gadgets is a definition whose objects have these fields, and one object.
func gadgets(group, namespace string, fields ...string) string {
	properties, spec := "", ""
	for _, field := range fields {
		properties += "\n                  " + field + ": {type: string}"
		spec += "\n  " + field + ": x"
	}
	return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.` + group + `}
spec:
  group: ` + group + `
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:` + strings.ReplaceAll(properties, "\n  ", "\n") + `
---
apiVersion: ` + group + `/v1
kind: Gadget
metadata: {name: g, namespace: ` + namespace + `}
spec:` + spec + "\n"
}

// A definition and an object that needs its new field change together, as in
// every upgrade of an operator.
func TestDefinitionAndObjectChangeTogether(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "resources: [all.yaml]\n")
	defer func() {
		if _, err := run(t, dir, "", "kubectl", onCluster("delete", "--ignore-not-found", "crd", "gadgets.e2e.koshop.dev")...); err != nil {
			t.Error(err)
		}
	}()
	for _, fields := range [][]string{{"a"}, {"a", "b"}} {
		writeFile(t, dir, "all.yaml", gadgets("e2e.koshop.dev", namespace, fields...))
		if _, err := runKo(t, dir, onCluster("apply", "-k", ".")...); err != nil {
			t.Fatalf("fields %v: %v", fields, err)
		}
	}
	// An object that the changed definition refuses as well takes the change of
	// the definition back.
	broken := strings.Replace(gadgets("e2e.koshop.dev", namespace, "a", "b", "c"), "\n  c: x", "\n  d: x", 1)
	writeFile(t, dir, "all.yaml", broken)
	out, err := runKo(t, dir, onCluster("apply", "-k", ".")...)
	if err == nil || !strings.Contains(out.stderr, "the cluster is as it was") || !strings.Contains(out.stderr, "gadget.e2e.koshop.dev/g") {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
	crd, err := run(t, dir, "", "kubectl", onCluster("get", "crd", "gadgets.e2e.koshop.dev", "-o=jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties}")...)
	if err != nil || crd.stdout != `{"a":{"type":"string"},"b":{"type":"string"}}` {
		t.Errorf("error %v, the definition has the fields %s", err, crd.stdout)
	}
}

// The API server looks a Pod's ServiceAccount up when the Pod is created.
func TestPodWithAServiceAccountOfTheSameSet(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "resources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: "+namespace+"}\n"+
		"spec: {serviceAccountName: robot, containers: [{name: c, image: \"localhost:1/none\"}]}\n"+
		"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: "+namespace+"}\n")
	for _, verb := range []string{"apply", "create"} {
		out, err := runKo(t, dir, onCluster(verb, "-k", ".")...)
		if err != nil || out.stdout != "serviceaccount/robot created\npod/p created\n" {
			t.Errorf("%s: error %v, output %q", verb, err, out.stdout)
		}
		if _, err := runKo(t, dir, onCluster("delete", "-k", ".")...); err != nil {
			t.Error(err)
		}
	}
}

// The API server looks a Role up when somebody who may not grant everything
// binds it: the attendees of a class are no cluster administrators.
func TestRoleAndBindingOfTheSameSet(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	const user = "e2e-namespace-admin"
	if _, err := run(t, "", "", "kubectl", onCluster("create", "rolebinding", "admin", "--clusterrole=admin", "--user="+user, "--namespace="+namespace)...); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "namespace: "+namespace+"\nresources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: `+namespace+`}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
`)
	for _, verb := range []string{"apply", "create"} {
		for _, verb := range []string{verb, "delete"} {
			if out, err := runKo(t, dir, append(onCluster(verb, "-k", "."), "--", "--as="+user)...); err != nil {
				t.Errorf("%s: %v, stderr %q", verb, err, out.stderr)
			}
		}
	}
}

// What no dry run can see, two objects that exclude each other, is undone.
func TestFailureHalfWayIsUndone(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	service := func(name string) string {
		return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: " + namespace +
			"}\nspec: {type: NodePort, ports: [{port: 80, nodePort: 31999}]}\n"
	}
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "resources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", configMap("settings", namespace, "old"))
	if _, err := runKo(t, dir, onCluster("apply", "-k", ".")...); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "all.yaml", configMap("settings", namespace, "new")+"---\n"+service("one")+"---\n"+service("two"))
	out, err := runKo(t, dir, onCluster("apply", "-k", ".")...)
	if err == nil || !strings.Contains(out.stderr, "the cluster is as it was") || !strings.Contains(out.stderr, "service/two") || out.stdout != "" {
		t.Errorf("error %v, output %q, stderr %q", err, out.stdout, out.stderr)
	}
	services, err := c.CoreV1().Services(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(services.Items) != 0 {
		t.Errorf("error %v, %d services are left", err, len(services.Items))
	}
	settings, err := c.CoreV1().ConfigMaps(namespace).Get(t.Context(), "settings", metav1.GetOptions{})
	if err != nil || settings.Data["value"] != "old" {
		t.Errorf("error %v, the ConfigMap says %v", err, settings.Data)
	}
}

// A controller makes the default ServiceAccount again at once.
func TestDeleteOfWhatIsMadeAgain(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "resources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: "+namespace+"}\n")
	if _, err := runKo(t, dir, onCluster("apply", "-k", ".")...); err != nil {
		t.Fatal(err)
	}
	if out, err := runKo(t, dir, onCluster("delete", "-k", ".")...); err != nil || out.stdout != "serviceaccount/default deleted\n" {
		t.Errorf("error %v, output %q", err, out.stdout)
	}
}

// Fields that create has set can be removed by apply.
func TestApplyAfterCreateRemovesFields(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "resources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", configMap("settings", namespace, "1")+"binaryData: {dropped: \"\"}\n")
	if _, err := runKo(t, dir, onCluster("create", "-k", ".")...); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "all.yaml", configMap("settings", namespace, "1"))
	if out, err := runKo(t, dir, onCluster("apply", "-k", ".")...); err != nil || out.stdout != "configmap/settings configured\n" {
		t.Errorf("error %v, output %q", err, out.stdout)
	}
	settings, err := c.CoreV1().ConfigMaps(namespace).Get(t.Context(), "settings", metav1.GetOptions{})
	if err != nil || len(settings.BinaryData) != 0 {
		t.Errorf("error %v, left over: %v", err, settings.BinaryData)
	}
}
