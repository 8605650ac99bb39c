package applyset

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// withFields adds fields, which are YAML, to an object that this program has applied.
func withFields(t *testing.T, text, fields string) kube.Object {
	t.Helper()
	o := applied(decode(t, text)...)[0]
	more := map[string]any{}
	if err := yaml.Unmarshal([]byte(fields), &more); err != nil {
		t.Fatal(err)
	}
	for field, value := range more {
		o.Object[field] = value
	}
	return o
}

// References are found in every field that is for one, and names alone are none.
func TestUses(t *testing.T) {
	const pod, hash = "v1 Pod api/web-x", "settings-2456789bcd"
	for fields, want := range map[string]string{ // kind/name, of one that is not used if it begins with "!"
		`spec: {volumes: [{name: x, configMap: {name: web}}]}`:                                             "ConfigMap/web",
		`spec: {volumes: [{name: x, secret: {secretName: web}}]}`:                                          "Secret/web",
		`spec: {volumes: [{name: x, projected: {sources: [{configMap: {name: web}}]}}]}`:                   "ConfigMap/web",
		`spec: {volumes: [{name: x, projected: {sources: [{secret: {name: web}}]}}]}`:                      "Secret/web",
		`spec: {volumes: [{name: x, csi: {nodePublishSecretRef: {name: web}}}]}`:                           "Secret/web",
		`spec: {imagePullSecrets: [{name: other}, {name: web}]}`:                                           "Secret/web",
		`spec: {initContainers: [{name: x, envFrom: [{configMapRef: {name: web}}]}]}`:                      "ConfigMap/web",
		`spec: {containers: [{name: x, env: [{valueFrom: {secretKeyRef: {name: web, key: a}}}]}]}`:         "Secret/web",
		`spec: {containers: [{name: x, env: [{valueFrom: {configMapKeyRef: {name: web, key: a}}}]}]}`:      "ConfigMap/web",
		`spec: {containers: [{name: x, env: [{name: FROM, value: ` + hash + `}]}]}`:                        "ConfigMap/" + hash,
		`spec: {containers: [{name: web, image: web, env: [{name: web, value: web}]}]}`:                    "!ConfigMap/web",
		`spec: {serviceAccountName: web, containers: [{name: web, envFrom: [{configMapRef: {name: x}}]}]}`: "!Secret/web",
		`spec: {volumes: [{name: web, configMap: {name: x, items: [{key: web, path: web}]}}]}`:             "!ConfigMap/web",
		`spec: {volumes: [{name: x, configMap: {name: web}}]} `:                                            "!Secret/web",
		`spec: {volumes: [{name: x, configMap: {name: web-2}}]}`:                                           "!ConfigMap/web",
		`spec: {volumes: [{name: x, configMap: {name: x-` + hash + `}}]}`:                                  "!ConfigMap/" + hash,
		`status: {volumes: [{name: x, configMap: {name: web}}]}`:                                           "!ConfigMap/web",
		`spec: {tls: {secretRef: {name: web, namespace: b}}}`:                                              "!Secret/web",
	} {
		wantUse(t, withFields(t, pod, fields), want)
	}
	secret := decode(t, "v1 Secret api/web")[0]
	for value, want := range map[string]bool{"web": true, "api/web": true, "b/web": false} {
		o := decode(t, "networking.k8s.io/v1 Ingress api/web")[0]
		o.SetAnnotations(map[string]string{"nginx.ingress.kubernetes.io/auth-secret": value, "example.com/title": "web"})
		if got := uses(o, secret); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
	for text, want := range map[string]bool{"example.com/v1 Web b/x": true, "example.com/v1 Web api/x": true} {
		if got := uses(withFields(t, text, `spec: {secretRef: {name: web, namespace: api}}`), secret); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// A reference with a kind is found in every field, and a certificate is a Secret.
func TestUsesByKind(t *testing.T) {
	for fields, want := range map[string]string{
		`spec: {valuesFrom: [{kind: Secret, name: web}]}`:                                       "Secret/web",
		`spec: {valuesFrom: [{kind: ConfigMap, name: web}]}`:                                    "ConfigMap/web",
		`spec: {valuesFrom: [{kind: ConfigMap, name: web}]} `:                                   "!Secret/web",
		`spec: {valuesFrom: [{kind: Secret, name: web, namespace: b}]}`:                         "!Secret/web",
		`spec: {valuesFrom: [{kind: Secret, name: web, namespace: api}]}`:                       "Secret/web",
		`spec: {valuesFrom: [{kind: Secret, name: other}]}`:                                     "!Secret/web",
		`spec: {listeners: [{tls: {certificateRefs: [{kind: Secret, group: "", name: web}]}}]}`: "Secret/web",
		`spec: {listeners: [{tls: {certificateRefs: [{name: web}]}}]}`:                          "Secret/web",
		`spec: {listeners: [{tls: {certificateRefs: [{name: web}]}}]} `:                         "!ConfigMap/web",
	} {
		wantUse(t, withFields(t, "example.com/v1 Web api/x", fields), want)
	}
}

// wantUse compares whether an object uses another one, KIND/NAME, or not, !KIND/NAME.
func wantUse(t *testing.T, user kube.Object, want string) {
	t.Helper()
	name, unused := strings.CutPrefix(want, "!")
	kind, name, _ := strings.Cut(name, "/")
	if got := uses(user, decode(t, "v1 "+kind+" api/"+name)[0]); got == unused {
		t.Errorf("%v uses %s/%s: %v", user.Object["spec"], kind, name, got)
	}
}

// What still uses an old ConfigMap is named, unless it runs no more or is pruned as well.
func TestUsage(t *testing.T) {
	const volumes = `{volumes: [{name: settings, configMap: {name: old}}]}`
	const spec, template, running = `spec: ` + volumes, `spec: {replicas: 1, template: {spec: ` + volumes + `}}`, `{replicas: 1}`
	pod := func(fields string, owner kube.Object) kube.Object {
		o := withFields(t, "v1 Pod api/web-x", spec+"\n"+fields)
		if owner != nil {
			madeBy(owner, o)
		}
		return o
	}
	daemons := applied(decode(t, "apps/v1 DaemonSet api/web")...)[0] // OnDelete: its pods are as they were.
	gone := members(t, "apps/v1 Deployment api/gone")[0]
	replicas := madeBy(gone, withFields(t, "apps/v1 ReplicaSet api/gone-1", template))
	past := withFields(t, "apps/v1 ReplicaSet api/web-1", strings.ReplaceAll(template, "replicas: 1", "replicas: 0")+"\nstatus: {replicas: 0}")
	for name, test := range map[string]struct {
		live []kube.Object
		want string
	}{
		"nothing":                        {nil, ""},
		"a pod of a workload":            {[]kube.Object{daemons, pod("", daemons)}, "pod/web-x"},
		"a pod of nothing":               {[]kube.Object{pod("status: {phase: Running}", nil)}, "pod/web-x"},
		"a pod that has ended":           {[]kube.Object{pod("status: {phase: Succeeded}", daemons)}, ""},
		"a pod on its way out":           {[]kube.Object{going(pod("", daemons))}, ""},
		"a running Job":                  {[]kube.Object{withFields(t, "batch/v1 Job api/web-1", template)}, "job.batch/web-1"},
		"an ended Job":                   {[]kube.Object{withFields(t, "batch/v1 Job api/web-1", template+"\nstatus: {conditions: [{type: Complete, status: 'True'}]}")}, ""},
		"an older revision with pods":    {[]kube.Object{withFields(t, "apps/v1 ReplicaSet api/web-1", template+"\nstatus: "+running)}, "replicaset.apps/web-1"},
		"an older revision without pods": {[]kube.Object{madeBy(daemons, past)}, ""},
		"what is pruned with its pods":   {[]kube.Object{withFields(t, "apps/v1 Deployment api/gone", template), replicas, pod("", replicas)}, ""},
		"another workload":               {[]kube.Object{withFields(t, "apps/v1 Deployment api/other", template)}, "deployment.apps/other"},
		"a workload elsewhere":           {[]kube.Object{withFields(t, "apps/v1 Deployment b/other", template)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			old := members(t, "v1 ConfigMap api/old")[0]
			u, err := FindUsage(t.Context(), newCluster(interceptor.Funcs{}, test.live...), []kube.Object{gone, old}, []kube.Object{daemons})
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Of(old); got != test.want {
				t.Errorf("%q uses it, want %q", got, test.want)
			}
			if got := u.Of(decode(t, "v1 Service api/old")[0]); got != "" {
				t.Errorf("%q uses a Service", got)
			}
		})
	}
	old := members(t, "v1 ConfigMap api/old")[0]
	u, err := FindUsage(t.Context(), newCluster(interceptor.Funcs{}, replicas), []kube.Object{gone, old}, []kube.Object{withFields(t, "example.com/v1 Web api/web", `spec: {configMapName: older}`)})
	if err != nil || u.Of(old) != "" || u.Of(decode(t, "v1 ConfigMap api/older")[0]) != "web.example.com/web" {
		t.Fatalf("error %v, used by %q", err, u.Of(old))
	}
	if u.Keep(gone); u.Of(old) != "replicaset.apps/gone-1" {
		t.Errorf("of a workload that is kept, %q uses it", u.Of(old))
	}
}
