//go:build apiserver

package apply_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/apitest"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/reload/inject"
	"github.com/koshop/koshop/internal/kube"
)

// built is a workload of which live reload changes all that it can.
const built = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: "ko://example.com/web"
        ports: [{containerPort: 8080}]
        livenessProbe: {httpGet: {port: 8080}}
        resources: {limits: {memory: 300Mi}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]`

// live returns manifests under live reload.
func live(t *testing.T, manifests string) string {
	t.Helper()
	out, err := (&inject.Injector{Image: "example.com/live:1"}).Manifests([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Whoever applies the plain manifests after `ko apply --live` gets what they say, by
// whatever tool, whether they were applied before or not.
func TestThePlainManifestsWin(t *testing.T) {
	c := apitest.Cluster(t)
	for name, apply := range map[string]func(*testing.T, string){
		"ko": func(t *testing.T, plain string) {
			if _, err := send(t, c, plan.Options{}, decode(t, "", plain)...); err != nil {
				t.Fatal(err)
			}
		},
		"kubectl": func(t *testing.T, plain string) { apitest.Kubectl(t, plain, "apply", "-f", "-") },
		"kubectl on the server": func(t *testing.T, plain string) {
			apitest.Kubectl(t, plain, "apply", "--server-side", "-f", "-")
		},
		"Argo CD on the server": func(t *testing.T, plain string) {
			apitest.Kubectl(t, plain, "apply", "--server-side", "--field-manager=argocd-controller", "--force-conflicts", "-f", "-")
		},
	} {
		for _, begins := range []bool{true, false} {
			t.Run(name+map[bool]string{true: " after plain manifests", false: ""}[begins], func(t *testing.T) {
				ns := newNamespace(t, c)
				text := strings.ReplaceAll(built, "NS", ns)
				plain := strings.ReplaceAll(text, "ko://", "")
				if begins {
					apply(t, plain)
				}
				opts := plan.Options{ForceConflicts: strings.HasPrefix(name, "Argo")}
				for _, want := range []string{map[bool]string{true: "configured", false: "created"}[begins], "unchanged"} {
					lines, err := send(t, c, opts, decode(t, "", strings.ReplaceAll(live(t, text), "ko://", ""))...)
					if err != nil || !slices.Equal(lines, []string{"deployment.apps/web " + want}) {
						t.Fatalf("%q, error %v, want %s", lines, err, want)
					}
				}
				apply(t, plain)
				want := newNamespace(t, c)
				apply(t, strings.ReplaceAll(plain, ns, want))
				if got, want := template(t, c, ns), template(t, c, want); !reflect.DeepEqual(got, want) {
					t.Errorf("the pods are\n%s\nexpected\n%s", got, want)
				}
			})
		}
	}
}

// template returns the pods of a Deployment as JSON.
func template(t *testing.T, c *kube.Cluster, ns string) string {
	t.Helper()
	live, err := c.Live(t.Context(), decode(t, ns, built)[0])
	if err != nil || live == nil {
		t.Fatalf("error %v", err)
	}
	if plan.IsLent(live) {
		t.Errorf("it is marked: %v", live.GetAnnotations())
	}
	text, err := json.Marshal(live.Object["spec"].(map[string]any)["template"])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
