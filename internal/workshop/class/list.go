package class

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Place is how an attendee's namespace is doing.
type Place struct {
	Attendee, Namespace string
	Pods, Ready         int
	Used, Hard          Demand // none in a namespace that is shared
}

// Places returns the places of a class.
func (c *School) Places(ctx context.Context, class string) ([]Place, error) {
	var namespaces corev1.NamespaceList
	var accounts corev1.ServiceAccountList
	for _, list := range []client.ObjectList{&namespaces, &accounts} {
		if err := c.List(ctx, list, client.MatchingLabels{Label: class}); err != nil {
			return nil, fmt.Errorf("asking %s for class %s: %w", c.entry.Server, class, err)
		}
	}
	var places []Place
	own := map[string]bool{}
	for _, namespace := range namespaces.Items {
		own[namespace.Name] = true
		places = append(places, Place{Attendee: namespace.Labels[attendeeLabel], Namespace: namespace.Name})
	}
	for _, account := range accounts.Items {
		if !own[account.Namespace] {
			places = append(places, Place{Attendee: account.Labels[attendeeLabel], Namespace: account.Namespace})
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Attendee, b.Attendee), cmp.Compare(a.Namespace, b.Namespace))
	})
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i := range places {
		group.Go(func() error { return c.look(ctx, &places[i]) })
	}
	return places, group.Wait()
}

// look counts the pods of a place and reads its quota.
func (c *School) look(ctx context.Context, place *Place) error {
	var pods corev1.PodList
	var quotas corev1.ResourceQuotaList
	for _, list := range []client.ObjectList{&pods, &quotas} {
		if err := c.List(ctx, list, client.InNamespace(place.Namespace)); err != nil {
			return fmt.Errorf("asking %s about namespace %s: %w", c.entry.Server, place.Namespace, err)
		}
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		place.Pods++
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				place.Ready++
			}
		}
	}
	for _, quota := range quotas.Items {
		if quota.Labels[attendeeLabel] == place.Attendee {
			place.Used, place.Hard = quota.Status.Used, quota.Status.Hard
		}
	}
	return nil
}
