package kustomize_test

import (
	"fmt"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// change is one mistake that somebody could make with the policies.
type change struct {
	what     string
	policies []*networkingv1.NetworkPolicy
}

// changes returns the policies without one of them, with one for every pod, and with a
// rule that names more or fewer peers or ports.
func changes(policies []*networkingv1.NetworkPolicy) []change {
	var all []change
	for i, policy := range policies {
		all = append(all, change{"without policy " + policy.Name, slices.Delete(slices.Clone(policies), i, i+1)})
		edit := func(what string, edit func(*networkingv1.NetworkPolicy)) {
			changed := slices.Clone(policies)
			changed[i] = policy.DeepCopy()
			edit(changed[i])
			all = append(all, change{"policy " + policy.Name + what, changed})
		}
		edit(" for every pod", func(p *networkingv1.NetworkPolicy) { p.Spec.PodSelector = metav1.LabelSelector{} })
		for _, end := range []networkingv1.PolicyType{opens, takes} {
			for r, rule := range rulesOf(policy, end) {
				for _, peers := range slices.Concat(others(*rule.peers), wider(*rule.peers)) {
					edit(fmt.Sprintf(", %s rule %d, with peers %v", end, r, peers), func(p *networkingv1.NetworkPolicy) { *rulesOf(p, end)[r].peers = peers })
				}
				for _, ports := range others(*rule.ports) {
					edit(fmt.Sprintf(", %s rule %d, with ports %v", end, r, ports), func(p *networkingv1.NetworkPolicy) { *rulesOf(p, end)[r].ports = ports })
				}
			}
		}
	}
	return all
}

// others returns the list without one of its elements, for each of them, and the list
// without any, which stands for everything.
func others[T any](list []T) [][]T {
	if len(list) == 0 {
		return nil
	}
	lists := [][]T{nil}
	for i := range list {
		if len(list) > 1 {
			lists = append(lists, slices.Delete(slices.Clone(list), i, i+1))
		}
	}
	return lists
}

// wider returns the list with a peer that has one selector where it had two.
func wider(peers []networkingv1.NetworkPolicyPeer) [][]networkingv1.NetworkPolicyPeer {
	var lists [][]networkingv1.NetworkPolicyPeer
	for i, peer := range peers {
		if peer.NamespaceSelector == nil || peer.PodSelector == nil {
			continue
		}
		for _, one := range []networkingv1.NetworkPolicyPeer{{NamespaceSelector: peer.NamespaceSelector}, {PodSelector: peer.PodSelector}} {
			lists = append(lists, slices.Replace(slices.Clone(peers), i, i+1, one))
		}
	}
	return lists
}
