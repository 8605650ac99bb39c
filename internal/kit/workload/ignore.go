package workload

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// quiet are the kinds whose absence needs no note where there is no cluster.
var quiet = map[string]bool{
	"Namespace": true, "ServiceAccount": true, "PersistentVolumeClaim": true, "PersistentVolume": true,
	"LimitRange": true, "ResourceQuota": true,
	"Role.rbac.authorization.k8s.io": true, "RoleBinding.rbac.authorization.k8s.io": true,
	"ClusterRole.rbac.authorization.k8s.io": true, "ClusterRoleBinding.rbac.authorization.k8s.io": true,
	"PodDisruptionBudget.policy": true, "PriorityClass.scheduling.k8s.io": true, "StorageClass.storage.k8s.io": true,
}

// idle are kinds that do nothing here: their plural, and why.
var idle = map[string]struct{ plural, reason string }{
	"NetworkPolicy.networking.k8s.io":     {"NetworkPolicies", "nothing enforces it here"},
	"HorizontalPodAutoscaler.autoscaling": {"HorizontalPodAutoscalers", "nothing measures load here"},
}

// ignore notes an object of a kind that is not run.
func (r *reader) ignore(o manifest.Object) {
	kind := o.GroupKind().String()
	if quiet[kind] {
		return
	}
	if _, known := idle[kind]; known {
		r.ignored[kind]++
		return
	}
	if kind == "CronJob.batch" {
		r.note(nil, "%s is not run: it is never due here", o)
		return
	}
	r.note(nil, "%s %s %s is ignored: a kind that ko up does not know", o.Kind, o.APIVersion, o.Metadata.Name)
}

func (r *reader) noteIgnored() {
	for _, kind := range slices.Sorted(maps.Keys(r.ignored)) {
		what := fmt.Sprintf("%d %s are", r.ignored[kind], idle[kind].plural)
		if r.ignored[kind] == 1 {
			what = "1 " + schema.ParseGroupKind(kind).Kind + " is"
		}
		r.note(nil, "%s ignored: %s", what, idle[kind].reason)
	}
}
