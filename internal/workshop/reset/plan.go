// Package reset brings a cluster back to where the workshop begins: it removes
// the shop, its previews and its classes, and nothing that the workshop did not
// make.
package reset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/cluster"
)

const (
	// shopLabel and shopName are on all that the overlays make.
	shopLabel = "app.kubernetes.io/part-of"
	shopName  = "koshop"
	// classLabel is on what a class of attendees is given.
	classLabel = class.Label
)

// Plan is what is to be removed.
type Plan struct {
	Intercepts []string // of this laptop
	Rights     []right  // of classes, in namespaces that stay
	Namespaces []string
	Kept       []string // what looks like the workshop's and stays, with the reason
}

// Empty reports whether there is nothing to remove.
func (p Plan) Empty() bool { return len(p.Intercepts)+len(p.Rights)+len(p.Namespaces) == 0 }

// Lines describes the plan.
func (p Plan) Lines() []string {
	var lines []string
	for _, name := range p.Intercepts {
		lines = append(lines, "intercept "+name+" of this laptop")
	}
	for _, right := range p.Rights {
		lines = append(lines, right.String())
	}
	for _, name := range p.Namespaces {
		lines = append(lines, "namespace "+name+", and all that is in it")
	}
	return lines
}

// Make looks for what the workshop has made.
func Make(ctx context.Context, c *cluster.Cluster) (Plan, error) {
	var plan Plan
	candidates, err := candidates(ctx, c)
	if err != nil {
		return plan, fmt.Errorf("asking %s for the namespaces of the workshop: %w", c.Config.Host, err)
	}
	for _, namespace := range candidates {
		reason, err := stays(ctx, c, namespace)
		if err != nil {
			return plan, fmt.Errorf("looking into namespace %s: %w", namespace.Name, err)
		}
		if reason != "" {
			plan.Kept = append(plan.Kept, fmt.Sprintf("namespace %s: %s", namespace.Name, reason))
		} else if !slices.Contains(plan.Namespaces, namespace.Name) {
			plan.Namespaces = append(plan.Namespaces, namespace.Name)
		}
	}
	if plan.Rights, err = rights(ctx, c, plan.Namespaces); err != nil {
		return plan, fmt.Errorf("asking %s for the rights of classes: %w", c.Config.Host, err)
	}
	plan.Intercepts, err = intercepts(ctx, c)
	return plan, err
}

// candidates are the shop's namespace and those of previews and classes.
func candidates(ctx context.Context, c *cluster.Cluster) ([]corev1.Namespace, error) {
	classes, err := c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: classLabel})
	if err != nil {
		return nil, err
	}
	previews, err := c.Previews(ctx, metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	found, names := classes.Items, []string{c.Namespace}
	for _, preview := range previews {
		names = append(names, preview.Namespace)
	}
	for _, name := range names {
		namespace, err := c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(found, func(other corev1.Namespace) bool { return other.Name == name }) {
			found = append(found, *namespace)
		}
	}
	return found, nil
}

// stays says why a namespace is not to be removed, if it is not.
func stays(ctx context.Context, c *cluster.Cluster, namespace corev1.Namespace) (string, error) {
	if !made(namespace) {
		return "it was not made by the workshop", nil
	}
	others, err := foreign(ctx, c, namespace.Name)
	if len(others) > 0 {
		return "others run there: " + strings.Join(others, ", "), err
	}
	return "", err
}

// made reports whether the workshop made a namespace, and not only its contents:
// of those who own fields of it, the only one from its first second has the
// label. `ko apply` labels a namespace that is there, too, but that one has an
// owner already.
func made(namespace corev1.Namespace) bool {
	if namespace.Labels[shopLabel] != shopName && namespace.Labels[classLabel] == "" {
		return false
	}
	found := false
	for _, entry := range namespace.ManagedFields {
		later := entry.Time != nil && entry.Time.Sub(namespace.CreationTimestamp.Time) > time.Second // Both are rounded to seconds.
		if later || entry.Subresource != "" {
			continue
		}
		if !owns(entry, shopLabel) && !owns(entry, classLabel) {
			return false
		}
		found = true
	}
	return found
}

func owns(entry metav1.ManagedFieldsEntry, label string) bool {
	return entry.FieldsV1 != nil && strings.Contains(entry.FieldsV1.String(), `"f:`+label+`"`)
}

// foreign returns the workloads in a namespace that are not the shop's.
func foreign(ctx context.Context, c *cluster.Cluster, namespace string) ([]string, error) {
	others := metav1.ListOptions{LabelSelector: shopLabel + "!=" + shopName}
	apps := c.AppsV1()
	deployments, err := apps.Deployments(namespace).List(ctx, others)
	if err != nil {
		return nil, err
	}
	sets, err := apps.StatefulSets(namespace).List(ctx, others)
	if err != nil {
		return nil, err
	}
	daemons, err := apps.DaemonSets(namespace).List(ctx, others)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, o := range deployments.Items {
		names = append(names, "deployment "+o.Name)
	}
	for _, o := range sets.Items {
		names = append(names, "statefulset "+o.Name)
	}
	for _, o := range daemons.Items {
		names = append(names, "daemonset "+o.Name)
	}
	return names, nil
}

// intercepts are this laptop's, if it is connected to this cluster.
func intercepts(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	status, err := telepresence.Read(ctx)
	if errors.Is(err, telepresence.ErrNotFound) {
		return nil, nil
	}
	if err != nil || !status.Connected() || !c.Is(status.Server) {
		return nil, err
	}
	found, err := telepresence.Intercepts(ctx)
	var names []string
	for _, intercept := range found {
		names = append(names, intercept.Name)
	}
	return names, err
}
