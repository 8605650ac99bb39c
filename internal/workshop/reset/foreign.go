package reset

import (
	"context"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// kinds are those by which somebody runs or keeps something in a namespace; what
// makes others comes before them.
func kinds() []client.ObjectList {
	return []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{}, &batchv1.CronJobList{},
		&appsv1.ReplicaSetList{}, &batchv1.JobList{}, &corev1.PodList{}, &corev1.PersistentVolumeClaimList{},
	}
}

// foreign names what others run or keep in a namespace, without what that itself
// has made, such as the pods of a Deployment. What an operator has made counts:
// the operator's own kinds are unknown here.
func foreign(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	var names []string
	var sets []*appsv1.StatefulSet // the shop's
	seen := map[types.UID]bool{}
	for _, list := range kinds() {
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			o := item.(client.Object)
			seen[o.GetUID()] = true
			set, isSet := o.(*appsv1.StatefulSet)
			owner := metav1.GetControllerOf(o)
			switch {
			case o.GetLabels()[shopLabel] == shopName:
				if isSet {
					sets = append(sets, set)
				}
			case owner != nil && seen[owner.UID], claimed(o, sets):
			default:
				names = append(names, kube.Place(o))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// claimed reports whether one of the sets has made a PersistentVolumeClaim, which
// has neither the set's labels nor an owner, but a name like data-postgres-0.
func claimed(o client.Object, sets []*appsv1.StatefulSet) bool {
	if _, isClaim := o.(*corev1.PersistentVolumeClaim); !isClaim {
		return false
	}
	return slices.ContainsFunc(sets, func(set *appsv1.StatefulSet) bool {
		return slices.ContainsFunc(set.Spec.VolumeClaimTemplates, func(template corev1.PersistentVolumeClaim) bool {
			number, found := strings.CutPrefix(o.GetName(), template.Name+"-"+set.Name+"-")
			return found && number != "" && strings.Trim(number, "0123456789") == ""
		})
	})
}
