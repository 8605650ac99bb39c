package class

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A rolling Deployment whose init container takes more memory than the rest, one
// that recreates, a StatefulSet with a volume, and what takes nothing.
const sample = `
apiVersion: v1
kind: Namespace
metadata: {name: api, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - {name: init, image: i, resources: {requests: {cpu: 10m, memory: 500Mi}, limits: {memory: 1Gi}}}
      containers:
      - {name: web, image: i, resources: {requests: {cpu: 90m, memory: 68Mi}, limits: {memory: 128Mi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: store}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - {name: store, image: i, resources: {requests: {cpu: 40m, memory: 68Mi}, limits: {memory: 128Mi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: store}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 256Mi}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - {name: db, image: i, resources: {requests: {cpu: 90m, memory: 68Mi}, limits: {memory: 128Mi}}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: unknown}
`

// In each pod there is a traffic agent of 10m and 32Mi, 128Mi at most.
func TestOverlay(t *testing.T) {
	overlay, err := ReadOverlay(kustomization(t, sample))
	if err != nil {
		t.Fatal(err)
	}
	has(t, "running", overlay.Running, map[corev1.ResourceName]string{
		"pods": "5", "requests.cpu": "450m", "requests.memory": "1300Mi", "limits.memory": "2816Mi", "persistentvolumeclaims": "3", "requests.storage": "2304Mi"})
	has(t, "rolling", overlay.Rolling, map[corev1.ResourceName]string{
		"pods": "7", "requests.cpu": "650m", "requests.memory": "2300Mi", "limits.memory": "4864Mi", "persistentvolumeclaims": "3", "requests.storage": "2304Mi"})
}

func TestOverlayThatCannotBeCounted(t *testing.T) {
	for name, test := range map[string]struct{ manifests, want string }{
		"a DaemonSet":  {"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x}\n", "it has a DaemonSet"},
		"a mistake":    {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: many}\n", "adding up"},
		"no directory": {"", "no such directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "none")
			if test.manifests != "" {
				dir = kustomization(t, test.manifests)
			}
			if _, err := ReadOverlay(dir); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// The larger of two overlays counts, but volumes of both are kept.
func TestQuota(t *testing.T) {
	first, err := ReadOverlay(kustomization(t, sample))
	if err != nil {
		t.Fatal(err)
	}
	second, err := ReadOverlay(kustomization(t, strings.NewReplacer(
		"name: db}", "name: big}", "replicas: 2", "replicas: 1", "memory: 68Mi", "memory: 2Gi", "storage: 256Mi", "storage: 512Mi").Replace(sample)))
	if err != nil {
		t.Fatal(err)
	}
	for _, overlays := range [][]Overlay{{first, second}, {second, first}} {
		has(t, "quota", Quota(overlays), map[corev1.ResourceName]string{
			"pods": "7", "requests.cpu": "650m", "requests.memory": "8320Mi", "limits.memory": "4864Mi", "persistentvolumeclaims": "4", "requests.storage": "3584Mi"})
	}
	if got, want := namespaceLabels([]Overlay{first, second}), map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}; !maps.Equal(got, want) {
		t.Errorf("labels %v, want %v", got, want)
	}
}

// Their namespace is made once, with the labels of all of them: if two did not
// agree, the attendee could not apply one, and may not change it.
func TestTaughtOverlaysAgreeOnTheirNamespace(t *testing.T) {
	var overlays []Overlay
	for _, dir := range Taught {
		overlay, err := ReadOverlay(filepath.Join("../../..", dir))
		if err != nil {
			t.Fatal(err)
		}
		overlays = append(overlays, overlay)
	}
	labels := namespaceLabels(overlays)
	if labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("labels %v: Pod Security is not restricted", labels)
	}
	for i, overlay := range overlays {
		for name, value := range overlay.labels {
			if labels[name] != value {
				t.Errorf("%s has %s=%s, the namespace %q", Taught[i], name, value, labels[name])
			}
		}
	}
}

func has(t *testing.T, what string, demand Demand, want map[corev1.ResourceName]string) {
	t.Helper()
	got := map[corev1.ResourceName]string{}
	for name, quantity := range demand {
		got[name] = quantity.String()
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// kustomization returns a directory with one.
func kustomization(t *testing.T, manifests string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"kustomization.yaml": "resources: [all.yaml]\n", "all.yaml": manifests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
