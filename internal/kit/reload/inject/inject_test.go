package inject_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/koshop/koshop/internal/kit/reload/inject"
	"github.com/koshop/koshop/internal/kube"
)

// worker has all that the supervisor has to leave as it is.
const worker = `
apiVersion: apps/v1
kind: KIND
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      initContainers:
      - {name: migrate, image: "ko://example.com/migrate", securityContext: &restricted {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
      containers:
      - name: web
        image: "ko://example.com/web"
        args: [--fast, "--metrics=:9090"]
        env: [{name: ADMIN, value: "127.0.0.1:7000"}]
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}, {name: pprof, containerPort: 6060}]
        readinessProbe: {httpGet: {path: /readyz, port: http}}
        livenessProbe: {httpGet: {path: /livez, port: http}}
        resources: {limits: {memory: 400Mi}}
        volumeMounts: [{name: data, mountPath: /data}]
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}
      - {name: own, image: "ko://example.com/own", command: [/ko-app/own, "$(MODE)"], securityContext: *restricted}
      - {name: shell, image: "ko://example.com/shell", command: [/bin/sh, -c, run], securityContext: *restricted}
      - {name: proxy, image: envoy, securityContext: *restricted}
      volumes: [{name: data, emptyDir: {}}]
`

func injected(t *testing.T, manifests string) (pod corev1.PodSpec, notes []string) {
	t.Helper()
	in := &inject.Injector{Image: "ko://example.com/live", Note: func(note string) { notes = append(notes, note) }}
	stream, err := in.Manifests([]byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := kube.Decode(stream)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Spec struct {
			corev1.PodSpec `json:",inline"`
			Template       corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, &object); err != nil {
		t.Fatal(err)
	}
	if objects[0].GetKind() == "Pod" {
		return object.Spec.PodSpec, notes
	}
	return object.Spec.Template.Spec, notes
}

func TestManifests(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} {
		t.Run(kind, func(t *testing.T) {
			pod, notes := injected(t, strings.Replace(worker, "KIND", kind, 1))
			commandIs(t, pod.Containers[0], `/live-reload/live-reload run --dir /live-reload-store --container `+
				`{"program":"example.com/web","ports":[8080,9090],"PORT":8080,"fixed":[6060],"readiness":{"httpGet":{"port":8080,"path":"/readyz"}}} -- /ko-app`)
			commandIs(t, pod.Containers[1], `/live-reload/live-reload run --dir /live-reload-store --container {"program":"example.com/own"} -- /ko-app/own $(MODE)`)
			commandIs(t, pod.Containers[2], `/bin/sh -c run`)
			commandIs(t, pod.Containers[3], ``)
			web := pod.Containers[0]
			if strings.Join(web.Args, " ") != "--fast --metrics=:9090" || web.ReadinessProbe == nil || web.LivenessProbe != nil || len(web.VolumeMounts) != 4 ||
				web.Resources.Limits.Memory().String() != "864Mi" {
				t.Errorf("the container is %+v", web)
			}
			if first := pod.InitContainers[0]; first.Image != "ko://example.com/live" || len(pod.InitContainers) != 2 || len(pod.InitContainers[1].Command) != 0 {
				t.Errorf("the init containers are %+v", pod.InitContainers)
			}
			want := `container shell is not reloaded: its command begins with "/bin/sh", which is not the program of its image`
			if len(notes) != 1 || !strings.Contains(notes[0], want) {
				t.Errorf("it says %q, expected %s", notes, want)
			}
			isRestricted(t, pod)
		})
	}
}

// A manifest that names no namespace is no other one, the ports of other containers are
// theirs, and a port that is UDP as well cannot be moved.
func TestPortsOfAPod(t *testing.T) {
	pod, _ := injected(t, `
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [
  {name: web, image: "ko://example.com/web", args: ["--listen=127.0.0.1:8080", "--dns=:53"], env: [{name: COST, value: "$$5"}],
   ports: [{containerPort: 8080}, {containerPort: 53}, {containerPort: 53, protocol: UDP}],
   readinessProbe: {exec: {command: [check, "$$(X)"]}}},
  {name: proxy, image: proxy, ports: [{containerPort: 4180}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: 4180}]}}
`)
	commandIs(t, pod.Containers[0], `/live-reload/live-reload run --dir /live-reload-store --container `+
		`{"program":"example.com/web","ports":[8080],"PORT":8080,"fixed":[53],"readiness":{"command":["check","$$$$(X)"]}} -- /ko-app`)
}

func commandIs(t *testing.T, c corev1.Container, want string) {
	t.Helper()
	if got := strings.Join(c.Command, " "); got != want {
		t.Errorf("container %s runs\n%s, expected\n%s", c.Name, got, want)
	}
}

// isRestricted fails unless Pod Security's restricted policy allows a pod.
func isRestricted(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, &pod) {
		if !result.Allowed {
			t.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}

// A pod that runs as root by its own wish is one that the supervisor gets into.
func TestAPodOfRoot(t *testing.T) {
	pod, _ := injected(t, "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {securityContext: {runAsUser: 0}, containers: [{name: a, image: 'ko://example.com/a'}]}}")
	if user := pod.InitContainers[0].SecurityContext.RunAsUser; user == nil || *user != 65532 {
		t.Errorf("the init container runs as %v", user)
	}
	commandIs(t, pod.Containers[0], "/live-reload/live-reload run --dir /live-reload-store --container {\"program\":\"example.com/a\"} -- /ko-app")
}

func TestWhatHasNothingToReload(t *testing.T) {
	for _, manifest := range []string{
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a}]}}",
		strings.ReplaceAll(strings.Replace(worker, "KIND", "Deployment", 1), "ko://", ""),
		"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: 'ko://example.com/a'}]}}}}",
	} {
		if pod, _ := injected(t, manifest); len(pod.Volumes) > 1 || strings.Contains(strings.Join(pod.Containers[0].Command, " "), "live-reload") {
			t.Errorf("it is changed: %+v", pod)
		}
	}
}

// A sidecar that is an init container runs on, and is reloaded like the rest.
func TestANativeSidecar(t *testing.T) {
	pod, _ := injected(t, `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {
  initContainers: [{name: migrate, image: "ko://example.com/migrate"}, {name: log, image: "ko://example.com/log", restartPolicy: Always}],
  containers: [{name: a, image: a}]}}`)
	commandIs(t, pod.InitContainers[1], "")
	commandIs(t, pod.InitContainers[2], "/live-reload/live-reload run --dir /live-reload-store --container {\"program\":\"example.com/log\"} -- /ko-app")
	if mounts := pod.InitContainers[2].VolumeMounts; len(mounts) != 3 || len(pod.Volumes) != 3 {
		t.Errorf("mounts %+v of volumes %+v", mounts, pod.Volumes)
	}
}

// What would clash is refused before anything is deployed.
func TestNamesThatAreTaken(t *testing.T) {
	in := &inject.Injector{Image: "i"}
	_, err := in.Manifests([]byte("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}, spec: {volumes: [{name: live-reload}], containers: [{name: a, image: 'ko://example.com/a'}]}}"))
	want := "it has a volume called live-reload already: take it out of the manifests"
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "pod/a") {
		t.Errorf("error %v, expected %s", err, want)
	}
}
