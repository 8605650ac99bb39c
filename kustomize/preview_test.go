package kustomize_test

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const preview = "overlays/preview"

// TestPreviewsHaveHostsOfTheirOwn sets namespace and domain, each in the one line
// that stands for it.
func TestPreviewsHaveHostsOfTheirOwn(t *testing.T) {
	for name, test := range map[string]struct {
		namespace, domain string
		want              map[string]string // Service by host
	}{
		"as it stands": {"preview", "preview.example.com",
			map[string]string{"preview.preview.example.com": "api-gateway", "user-svc-preview.preview.example.com": "user-svc"}},
		"of a branch": {"preview-my-branch", "preview.example.com",
			map[string]string{"preview-my-branch.preview.example.com": "api-gateway", "user-svc-preview-my-branch.preview.example.com": "user-svc"}},
		"below a domain with hyphens": {"preview-42", "my-shop.example-1.dev",
			map[string]string{"preview-42.my-shop.example-1.dev": "api-gateway", "user-svc-preview-42.my-shop.example-1.dev": "user-svc"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := tree(t)
			replaceLine(t, files, preview+"/kustomization.yaml", "namespace: preview", "namespace: "+test.namespace)
			replaceLine(t, files, preview+"/ingress.yaml", "  - host: &domain preview.example.com", "  - host: &domain "+test.domain)
			objects := decode(t, build(t, files, preview))
			allIn(t, objects, test.namespace)
			if got := hosts(objects); !maps.Equal(got, test.want) {
				t.Errorf("hosts %v, want %v", got, test.want)
			}
		})
	}
}

// replaceLine replaces the only line of a file that reads so.
func replaceLine(t *testing.T, files filesys.FileSystem, name, before, after string) {
	t.Helper()
	data, err := files.ReadFile("/" + name)
	if err != nil {
		t.Fatal(err)
	}
	before, after = "\n"+before+"\n", "\n"+after+"\n"
	if n := strings.Count(string(data), before); n != 1 {
		t.Fatalf("%s has %d lines %q, want one", name, n, before)
	}
	if err := files.WriteFile("/"+name, []byte(strings.Replace(string(data), before, after, 1))); err != nil {
		t.Fatal(err)
	}
}

// hosts returns the Service that each host of an Ingress leads to.
func hosts(objects []object) map[string]string {
	found := map[string]string{}
	for _, ingress := range only[*networkingv1.Ingress](objects) {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				found[rule.Host] = path.Backend.Service.Name
			}
		}
	}
	return found
}

// TestPreviewBoundsItsPods expects a limit for the CPU and the disk of a pod, and defaults
// for containers that name none. Every pod must have room for two such containers.
func TestPreviewBoundsItsPods(t *testing.T) {
	objects := decode(t, build(t, tree(t), preview))
	maximum, byDefault := corev1.ResourceList{}, corev1.ResourceList{}
	for _, limits := range only[*corev1.LimitRange](objects) {
		for _, item := range limits.Spec.Limits {
			switch item.Type {
			case corev1.LimitTypePod:
				maximum = item.Max
			case corev1.LimitTypeContainer:
				byDefault = item.Default
			}
		}
	}
	for _, w := range workloads(t, objects) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceEphemeralStorage} {
			sum := byDefault[name].DeepCopy()
			sum.Add(sum)
			for _, c := range w.containers() {
				limit, named := c.Resources.Limits[name]
				if !named {
					limit = byDefault[name]
				}
				sum.Add(limit)
			}
			if bound := maximum[name]; sum.IsZero() || sum.Cmp(bound) > 0 {
				t.Errorf("a pod of %s may use %s of %s, and the limit is %s", w.name, &sum, name, &bound)
			}
		}
	}
}

// TestPreviewFitsItsQuota has every pod twice, as a rollout of all has them, and
// every container within what the quota counts.
func TestPreviewFitsItsQuota(t *testing.T) {
	objects := decode(t, build(t, tree(t), preview))
	used := corev1.ResourceList{}
	add := func(name corev1.ResourceName, quantity resource.Quantity) {
		sum := used[name]
		sum.Add(quantity)
		used[name] = sum
	}
	one := resource.MustParse("1")
	for _, w := range workloads(t, objects) {
		for range 2 * *w.replicas {
			add(corev1.ResourcePods, one)
			for _, c := range w.containers() {
				add(corev1.ResourceRequestsCPU, c.Resources.Requests[corev1.ResourceCPU])
				add(corev1.ResourceRequestsMemory, c.Resources.Requests[corev1.ResourceMemory])
				add(corev1.ResourceLimitsMemory, c.Resources.Limits[corev1.ResourceMemory])
			}
		}
	}
	for _, claim := range only[*corev1.PersistentVolumeClaim](objects) {
		add(corev1.ResourcePersistentVolumeClaims, one)
		add(corev1.ResourceRequestsStorage, claim.Spec.Resources.Requests[corev1.ResourceStorage])
	}
	quotas := only[*corev1.ResourceQuota](objects)
	if len(quotas) != 1 {
		t.Fatalf("%d quotas, want one", len(quotas))
	}
	for name, quantity := range used {
		hard, limited := quotas[0].Spec.Hard[name]
		if !limited || quantity.Cmp(hard) > 0 {
			t.Errorf("it uses %s of %s, and the quota is %s (there is one: %t)", &quantity, name, &hard, limited)
		}
	}
}
