package kustomize_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestServicesLeadToOneWorkload(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		all := workloads(t, objects)
		for _, service := range only[*corev1.Service](objects) {
			targets := selected(all, service.Spec.Selector)
			if len(targets) != 1 || targets[0].name != service.Name {
				t.Errorf("Service %s selects the pods of %v", service.Name, workloadNames(targets))
				continue
			}
			for _, port := range service.Spec.Ports {
				if !targets[0].hasPort(port.TargetPort.StrVal) {
					t.Errorf("Service %s: no container of %s has a port named %q", service.Name, targets[0].name, port.TargetPort.String())
				}
			}
		}
	})
}

func TestIngressesLeadToServices(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, ingress := range only[*networkingv1.Ingress](objects) {
			for _, rule := range ingress.Spec.Rules {
				for _, path := range rule.HTTP.Paths {
					if to := path.Backend.Service; !hasServicePort(objects, to.Name, to.Port.Name) {
						t.Errorf("Ingress %s: host %s: no Service %s with a port named %q", ingress.Name, rule.Host, to.Name, to.Port.Name)
					}
				}
			}
		}
	})
}

func hasServicePort(objects []object, service, port string) bool {
	return slices.ContainsFunc(only[*corev1.Service](objects), func(s *corev1.Service) bool {
		return s.Name == service && slices.ContainsFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == port })
	})
}

func TestSelectorsAreTheNameAlone(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			want := map[string]string{nameLabel: w.name}
			if !maps.Equal(w.selector.MatchLabels, want) || len(w.selector.MatchExpressions) > 0 {
				t.Errorf("%s selects %v, want %v: a selector cannot be changed later", w.name, w.selector, want)
			}
			if w.pod.Labels[nameLabel] != w.name {
				t.Errorf("%s: its pods are labelled %v", w.name, w.pod.Labels)
			}
		}
	})
}

func TestDisruptionBudgetsGuardOneWorkload(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		all := workloads(t, objects)
		for _, budget := range only[*policyv1.PodDisruptionBudget](objects) {
			targets := selected(all, budget.Spec.Selector.MatchLabels)
			if len(targets) != 1 || targets[0].name != budget.Name {
				t.Errorf("PodDisruptionBudget %s selects the pods of %v", budget.Name, workloadNames(targets))
			}
		}
	})
}

// TestVariablesNameExistingServices covers every URL in a container's
// environment: its host is a Service beside the pod, whose port it names.
func TestVariablesNameExistingServices(t *testing.T) {
	defaultPorts := map[string]string{"http": "80", "postgres": "5432"}
	eachOverlay(t, func(t *testing.T, objects []object) {
		ports := servicePorts(objects)
		for _, w := range workloads(t, objects) {
			for _, c := range w.containers() {
				for _, variable := range c.Env {
					if !strings.Contains(variable.Value, "://") {
						continue
					}
					u, err := url.Parse(variable.Value)
					if err != nil {
						t.Errorf("%s: %s: %v", w.name, variable.Name, err)
						continue
					}
					port := u.Port()
					if port == "" {
						port = defaultPorts[u.Scheme]
					}
					if !ports[u.Hostname()+":"+port] {
						t.Errorf("%s: %s=%s: no such Service and port here", w.name, variable.Name, variable.Value)
					}
					if _, hasPassword := u.User.Password(); hasPassword {
						t.Errorf("%s: %s holds a password", w.name, variable.Name)
					}
				}
			}
		}
	})
}

// TestReferencesResolve covers what the API server accepts unseen and a pod
// then waits for in vain.
func TestReferencesResolve(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		claims := names[*corev1.PersistentVolumeClaim](objects)
		accounts := names[*corev1.ServiceAccount](objects)
		all := workloads(t, objects)
		secrets := createdSecrets(all)
		for _, w := range all {
			if account := w.pod.Spec.ServiceAccountName; account != "" && !accounts[account] {
				t.Errorf("%s: no ServiceAccount %s", w.name, account)
			}
			for _, volume := range w.pod.Spec.Volumes {
				if claim := volume.PersistentVolumeClaim; claim != nil && !claims[claim.ClaimName] {
					t.Errorf("%s: no PersistentVolumeClaim %s", w.name, claim.ClaimName)
				}
			}
			for _, c := range w.containers() {
				for _, secret := range usedSecrets(c) {
					if !secrets[secret] {
						t.Errorf("%s: container %s needs Secret %s, which nothing creates", w.name, c.Name, secret)
					}
				}
			}
		}
		for _, binding := range only[*rbacv1.RoleBinding](objects) {
			for _, subject := range binding.Subjects {
				if subject.Kind != rbacv1.ServiceAccountKind || !accounts[subject.Name] || subject.Namespace != binding.Namespace {
					t.Errorf("RoleBinding %s: no %s %s/%s here", binding.Name, subject.Kind, subject.Namespace, subject.Name)
				}
			}
		}
	})
}

// createdSecrets returns the Secrets that init containers make at start.
func createdSecrets(all []workload) map[string]bool {
	created := map[string]bool{}
	for _, w := range all {
		for _, c := range w.pod.Spec.InitContainers {
			for _, variable := range c.Env {
				if variable.Name == "SECRET_NAME" {
					created[variable.Value] = true
				}
			}
		}
	}
	return created
}

// usedSecrets returns the Secrets that a container's environment reads.
func usedSecrets(c corev1.Container) []string {
	var used []string
	for _, variable := range c.Env {
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			used = append(used, variable.ValueFrom.SecretKeyRef.Name)
		}
	}
	return used
}

// servicePorts returns "service:port" of every Service.
func servicePorts(objects []object) map[string]bool {
	set := map[string]bool{}
	for _, service := range only[*corev1.Service](objects) {
		for _, port := range service.Spec.Ports {
			set[fmt.Sprintf("%s:%d", service.Name, port.Port)] = true
		}
	}
	return set
}

func workloadNames(all []workload) []string {
	list := make([]string, len(all))
	for i, w := range all {
		list[i] = w.name
	}
	return slices.Sorted(slices.Values(list))
}
