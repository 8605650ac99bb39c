package kustomize_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	psa "k8s.io/pod-security-admission/api"
	"sigs.k8s.io/yaml"
)

const (
	nameLabel   = "app.kubernetes.io/name"
	partOfLabel = "app.kubernetes.io/part-of"
)

// services are the workloads that saved requests, intercepts and DNS names
// rely on.
var services = []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"}

func TestEveryKustomizationRenders(t *testing.T) {
	for _, pattern := range []string{"base", "base/*", "overlays/*"} {
		for _, dir := range kustomizations(t, pattern) {
			t.Run(dir, func(t *testing.T) {
				decode(t, build(t, tree(t), dir))
			})
		}
	}
}

// TestNoKeyIsRepeated reads the files themselves: in what kustomize renders,
// the last of two equal keys has already won.
func TestNoKeyIsRepeated(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := strictYAML(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// strictYAML reports the first document that has a key twice.
func strictYAML(data []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var value any
		if err := yaml.UnmarshalStrict(document, &value); err != nil {
			return err
		}
	}
}

// TestContract holds the names, ports and reach that clients know.
func TestContract(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		ports := servicePorts(objects)
		made := map[string]workload{}
		for _, w := range workloads(t, objects) {
			made[w.name] = w
		}
		for _, name := range services {
			w, ok := made[name]
			if !ok {
				t.Errorf("no workload %s", name)
				continue
			}
			if !ports[name+":80"] {
				t.Errorf("no Service %s with port 80", name)
			}
			if container := w.pod.Spec.Containers[0]; container.Name != name || !w.hasPort("http") {
				t.Errorf("%s: container %s has ports %v, want one named http in a container named as the workload", name, container.Name, container.Ports)
			}
		}
	})
}

func TestObjectsAreLabelled(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, obj := range objects {
			labels := obj.GetLabels()
			if labels[partOfLabel] != "koshop" {
				t.Errorf("%T %s: label %s is %q", obj, obj.GetName(), partOfLabel, labels[partOfLabel])
			}
			if _, isNamespace := obj.(*corev1.Namespace); !isNamespace && labels[nameLabel] != obj.GetName() {
				t.Errorf("%T %s: label %s is %q", obj, obj.GetName(), nameLabel, labels[nameLabel])
			}
		}
		for _, w := range workloads(t, objects) {
			if w.pod.Labels[partOfLabel] != "koshop" {
				t.Errorf("%s: label %s of its pods is %q", w.name, partOfLabel, w.pod.Labels[partOfLabel])
			}
		}
	})
}

func TestNoSecretIsWrittenDown(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, secret := range only[*corev1.Secret](objects) {
			t.Errorf("Secret %s is in the repository: all readers would have the password of every shop", secret.Name)
		}
	})
}

func TestNamespaceEnforcesRestricted(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		namespaces := only[*corev1.Namespace](objects)
		if len(namespaces) != 1 {
			t.Fatalf("%d namespaces, want one", len(namespaces))
		}
		for _, label := range []string{psa.EnforceLevelLabel, psa.WarnLevelLabel, psa.AuditLevelLabel} {
			if level := namespaces[0].Labels[label]; level != string(psa.LevelRestricted) {
				t.Errorf("label %s is %q", label, level)
			}
		}
	})
}

func TestOverlaysAreInTheirNamespace(t *testing.T) {
	for _, dir := range kustomizations(t, "overlays/*") {
		namespace := "api"
		if dir == preview {
			namespace = "preview"
		}
		t.Run(path.Base(dir), func(t *testing.T) { allIn(t, decode(t, build(t, tree(t), dir)), namespace) })
	}
}

// TestOverlaysMove puts a parent with one line, `namespace: team1`, above every
// overlay: nothing of it may stay behind in, or still speak of, namespace api.
func TestOverlaysMove(t *testing.T) {
	mention := regexp.MustCompile(`(?m)^.*(?:^|[^\w-])api(?:[^\w-]|$).*$`)
	for _, dir := range kustomizations(t, "overlays/*") {
		t.Run(path.Base(dir), func(t *testing.T) {
			files := tree(t)
			parent := "namespace: team1\nresources: [../" + dir + "]\n"
			if err := files.WriteFile("/team1/kustomization.yaml", []byte(parent)); err != nil {
				t.Fatal(err)
			}
			rendered := build(t, files, "team1")
			text, err := rendered.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			if line := mention.Find(text); line != nil {
				t.Errorf("it still says %q", line)
			}
			allIn(t, decode(t, rendered), "team1")
		})
	}
}

// allIn demands that every object is in the namespace, or is that namespace.
func allIn(t *testing.T, objects []object, namespace string) {
	t.Helper()
	for _, obj := range objects {
		home := obj.GetNamespace()
		if _, ok := obj.(*corev1.Namespace); ok {
			home = obj.GetName()
		}
		if home != namespace {
			t.Errorf("%T %s is in namespace %q, want %q", obj, obj.GetName(), home, namespace)
		}
	}
}

func TestStagingSurvivesTheLossOfAPod(t *testing.T) {
	objects := decode(t, build(t, tree(t), "overlays/staging"))
	budgets := names[*policyv1.PodDisruptionBudget](objects)
	replicas := map[string]int32{}
	for _, w := range workloads(t, objects) {
		if w.replicas != nil {
			replicas[w.name] = *w.replicas
		}
	}
	for _, autoscaler := range only[*autoscalingv2.HorizontalPodAutoscaler](objects) {
		replicas[autoscaler.Spec.ScaleTargetRef.Name] = *autoscaler.Spec.MinReplicas
	}
	for _, name := range services {
		if replicas[name] != 2 {
			t.Errorf("%s has %d replicas, want 2", name, replicas[name])
		}
		if !budgets[name] {
			t.Errorf("%s has no PodDisruptionBudget", name)
		}
	}
}
