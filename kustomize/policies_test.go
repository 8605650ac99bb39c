package kustomize_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The two ends of a connection, each of which must allow it.
const (
	opens = networkingv1.PolicyTypeEgress
	takes = networkingv1.PolicyTypeIngress
)

// endpoint is a pod, or with no namespace something outside of the cluster.
type endpoint struct {
	name, namespace string
	labels          labels.Set
	ports           []corev1.ContainerPort
}

// allowed decides as a network does that enforces the policies: a pod opens, or takes,
// any connection as long as no policy selects it; else only those that a rule of a
// policy which selects it names by the peer and the port that is connected to.
func allowed(t *testing.T, policies []*networkingv1.NetworkPolicy, end networkingv1.PolicyType, pod, peer endpoint, port corev1.ContainerPort) bool {
	t.Helper()
	selected := slices.DeleteFunc(slices.Clone(policies), func(p *networkingv1.NetworkPolicy) bool {
		return p.Namespace != pod.namespace || !slices.Contains(p.Spec.PolicyTypes, end) || !matches(t, p.Spec.PodSelector, pod.labels)
	})
	for _, policy := range selected {
		for _, rule := range rulesOf(policy, end) {
			if rule.names(t, policy.Namespace, peer, port) {
				return true
			}
		}
	}
	return len(selected) == 0
}

// rule is what the rules for both ends are made of.
type rule struct {
	peers *[]networkingv1.NetworkPolicyPeer
	ports *[]networkingv1.NetworkPolicyPort
}

func rulesOf(policy *networkingv1.NetworkPolicy, end networkingv1.PolicyType) []rule {
	var rules []rule
	if end == takes {
		for i := range policy.Spec.Ingress {
			rules = append(rules, rule{&policy.Spec.Ingress[i].From, &policy.Spec.Ingress[i].Ports})
		}
		return rules
	}
	for i := range policy.Spec.Egress {
		rules = append(rules, rule{&policy.Spec.Egress[i].To, &policy.Spec.Egress[i].Ports})
	}
	return rules
}

// names reports whether the rule of a policy in namespace home names the peer and the
// port. A rule that has no peers names all of them, and so with ports.
func (r rule) names(t *testing.T, home string, peer endpoint, port corev1.ContainerPort) bool {
	t.Helper()
	isPeer := func(p networkingv1.NetworkPolicyPeer) bool { return isPeer(t, p, home, peer) }
	isPort := func(p networkingv1.NetworkPolicyPort) bool { return isPort(p, port) }
	return (len(*r.peers) == 0 || slices.ContainsFunc(*r.peers, isPeer)) && (len(*r.ports) == 0 || slices.ContainsFunc(*r.ports, isPort))
}

func isPeer(t *testing.T, p networkingv1.NetworkPolicyPeer, home string, peer endpoint) bool {
	t.Helper()
	switch {
	case p.IPBlock != nil:
		t.Fatalf("the block %s: these tests do not look at addresses yet", p.IPBlock.CIDR)
	case peer.namespace == "":
		return false // Selectors select pods.
	case p.NamespaceSelector == nil && peer.namespace != home:
		return false
	case p.NamespaceSelector != nil && !matches(t, *p.NamespaceSelector, labels.Set{corev1.LabelMetadataName: peer.namespace}):
		return false
	}
	return p.PodSelector == nil || matches(t, *p.PodSelector, peer.labels)
}

func isPort(p networkingv1.NetworkPolicyPort, port corev1.ContainerPort) bool {
	protocol := corev1.ProtocolTCP
	if p.Protocol != nil {
		protocol = *p.Protocol
	}
	switch {
	case protocol != port.Protocol:
		return false
	case p.Port == nil:
		return true
	case p.Port.Type == intstr.String:
		return p.Port.StrVal == port.Name
	case p.EndPort != nil:
		return p.Port.IntVal <= port.ContainerPort && port.ContainerPort <= *p.EndPort
	default:
		return p.Port.IntVal == port.ContainerPort
	}
}

func matches(t *testing.T, selector metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(set)
}
