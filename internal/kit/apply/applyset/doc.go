// Package applyset knows which objects of a cluster belong to one set, so that those
// that are gone from a kustomization can be deleted. It follows the convention of
// `kubectl apply --prune --applyset`, and other tools can read what it writes:
// https://git.k8s.io/enhancements/keps/sig-cli/3659-kubectl-apply-prune#design-details-applyset-specification
//
// A set has a parent, here a ConfigMap without data:
//
//	metadata:
//	  name: shop
//	  namespace: api
//	  labels:
//	    applyset.kubernetes.io/id: applyset-HASH-v1
//	  annotations:
//	    applyset.kubernetes.io/tooling: ko/v0.19.1
//	    applyset.kubernetes.io/contains-group-kinds: ConfigMap,Deployment.apps,Service
//	    applyset.kubernetes.io/additional-namespaces: monitoring
//
// HASH is that of the parent's own name, namespace and kind, so that no other object
// can pass for it. Every member has the label applyset.kubernetes.io/part-of with the
// id of its set, and is in one set only. The annotations say where to look for
// members: which kinds, and which namespaces besides the parent's. A tool changes only
// the sets of its own name.
//
// One run, in order: [Set.Read] the parent; [Set.Label] the objects and [Set.Check]
// what the cluster has of them; [Parent.Extend] the parent by the new kinds and
// namespaces; apply the objects and wait until they are ready; [Adoptable] and
// [Parent.Adopt] what was applied before there was a set; [Parent.Find] the members
// that are gone from the kustomization; [FindUsage] of them; [Parent.Prune] each that
// is not used; [Parent.Settle] what the parent lists. A run that ends early leaves a
// parent that lists too much, never too little, so that the next run finds every member.
//
// It is stricter than kubectl in what it deletes: see [Parent.Find].
package applyset
