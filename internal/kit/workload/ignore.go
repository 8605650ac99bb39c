package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
	switch kind := o.GroupKind().String(); {
	case quiet[kind]:
	case kind == "CronJob.batch":
		r.note(nil, "%s is not run: it is never due here", o)
	default:
		r.ignored[kind]++
	}
}

// noteIgnored writes a line for each kind whose absence may matter, and one line
// for all kinds that only a cluster has a use for.
func (r *reader) noteIgnored() {
	var others []string
	for _, kind := range slices.Sorted(maps.Keys(r.ignored)) {
		known, isIdle := idle[kind]
		if !isIdle {
			others = append(others, counted(r.ignored[kind], schema.ParseGroupKind(kind)))
			continue
		}
		what := fmt.Sprintf("%d %s are", r.ignored[kind], known.plural)
		if r.ignored[kind] == 1 {
			what = "1 " + schema.ParseGroupKind(kind).Kind + " is"
		}
		r.note(nil, "%s ignored: %s", what, known.reason)
	}
	if len(others) > 0 {
		r.note(nil, "ignored, because only a cluster has a use for them: %s", strings.Join(others, ", "))
	}
}

// counted reads "2 Certificate (cert-manager.io)", and without the group for kinds
// of Kubernetes itself.
func counted(n int, kind schema.GroupKind) string {
	if kind.Group == "" || !strings.Contains(kind.Group, ".") || strings.HasSuffix(kind.Group, ".k8s.io") {
		return fmt.Sprintf("%d %s", n, kind.Kind)
	}
	return fmt.Sprintf("%d %s (%s)", n, kind.Kind, kind.Group)
}
