package kustomize_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// scene returns the shop's pods, each with and without a traffic agent, and others that
// are alike in one thing or another.
func scene(t *testing.T, objects []object) []endpoint {
	t.Helper()
	dns := []corev1.ContainerPort{{Name: "dns", ContainerPort: 1053, Protocol: corev1.ProtocolUDP}, tcp("dns-tcp", 1053)}
	every := append(dns, tcp("http", 8080), tcp("postgres", 5432), tcp("metrics", 9090),
		tcp("", 8081), tcp("", 443), tcp("", 6443), tcp("", 8443), tcp("", 4317), tcp("", 4318))
	all := []endpoint{
		{"DNS", "kube-system", labels.Set{"k8s-app": "kube-dns"}, every},
		{"another pod of kube-system", "kube-system", labels.Set{"k8s-app": "other"}, every},
		{"DNS of another namespace", "other", labels.Set{"k8s-app": "kube-dns"}, every},
		{"traffic manager", "ambassador", labels.Set{"app": "traffic-manager"}, every},
		{"another pod of ambassador", "ambassador", labels.Set{"app": "other"}, every},
		{"traffic manager of another namespace", "other", labels.Set{"app": "traffic-manager"}, every},
		{"monitoring", "monitoring", labels.Set{nameLabel: "prometheus"}, every},
		{"monitoring of another namespace", "other", labels.Set{nameLabel: "prometheus"}, every},
		{"pod beside the shop", "api", labels.Set{nameLabel: "other"}, every},
		{"somebody outside", "", nil, every},
	}
	for _, w := range workloads(t, objects) {
		ports := portsOf(w)
		withAgent := labels.Merge(w.pod.Labels, labels.Set{agentLabel: "true"})
		all = append(all,
			endpoint{w.name, "api", w.pod.Labels, ports},
			endpoint{w.name + " of another shop", "other", w.pod.Labels, ports},
			// The agent listens under the name of the port that it intercepts.
			endpoint{w.name + " with an agent", "api", withAgent, append([]corev1.ContainerPort{tcp(ports[0].Name, 9900), tcp("", ports[0].ContainerPort)}, ports[1:]...)})
	}
	for i := range all {
		all[i].ports = append(slices.Clone(all[i].ports), tcp("", 9999))
	}
	return all
}

// portsOf returns the ports of a workload's containers.
func portsOf(w workload) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for _, c := range w.pod.Spec.Containers {
		for _, port := range c.Ports {
			port.Protocol = cmp.Or(port.Protocol, corev1.ProtocolTCP)
			ports = append(ports, port)
		}
	}
	return ports
}

func tcp(name string, number int32) corev1.ContainerPort {
	return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP}
}

// differences returns what the policies allow and the arrows do not, or the other way
// around. It asks each end by itself, so that neither hides a mistake of the other.
func differences(t *testing.T, policies []*networkingv1.NetworkPolicy, endpoints []endpoint, arrows []arrow) iter.Seq[string] {
	t.Helper()
	return func(yield func(string) bool) {
		for _, pod := range endpoints {
			if pod.namespace != "api" {
				continue // No policy is about it.
			}
			for _, peer := range endpoints {
				found := append(compare(t, policies, opens, pod, peer, arrows), compare(t, policies, takes, pod, peer, arrows)...)
				if slices.ContainsFunc(found, func(s string) bool { return !yield(s) }) {
					return
				}
			}
		}
	}
}

// compare looks at one end of the connections between a pod and a peer. A pod that is not
// the shop's must be free.
func compare(t *testing.T, policies []*networkingv1.NetworkPolicy, end networkingv1.PolicyType, pod, peer endpoint, arrows []arrow) []string {
	t.Helper()
	var found []string
	from, to := pod, peer
	if end == takes {
		from, to = peer, pod
	}
	for _, port := range to.ports {
		name := cmp.Or(port.Name, strconv.Itoa(int(port.ContainerPort)))
		want := !pod.ours() || slices.ContainsFunc(arrows, func(a arrow) bool { return a.allows(end, from, to, name) })
		if got := allowed(t, policies, end, pod, peer, port); got != want {
			found = append(found, fmt.Sprintf("%s to %s, port %s: %s is allowed: %t, want %t", from.name, to.name, name, end, got, want))
		}
	}
	return found
}
