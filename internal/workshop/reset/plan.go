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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/cluster"
)

// Plan is what is to be removed.
type Plan struct {
	Intercepts []string // of this laptop
	Classes    []class.Belongings
	Namespaces []client.Object // of the shop and its previews
	Kept       []string        // what looks like the shop's and stays, with the reason

	cluster *class.School
}

// Empty reports whether there is nothing to remove.
func (p Plan) Empty() bool { return len(p.Intercepts)+len(p.Classes)+len(p.Namespaces) == 0 }

// Lines describes the plan.
func (p Plan) Lines() []string {
	var lines []string
	for _, name := range p.Intercepts {
		lines = append(lines, interceptName(name))
	}
	for _, found := range p.Classes {
		lines = append(lines, found.Names()...)
	}
	for _, namespace := range p.Namespaces {
		lines = append(lines, kube.Place(namespace))
	}
	return lines
}

func interceptName(name string) string { return "intercept/" + name + " of this laptop" }

// Make looks for what the workshop has made.
func Make(ctx context.Context, c *cluster.Shop) (Plan, error) {
	plan := Plan{cluster: class.On(c.Cluster)}
	names, err := shops(ctx, c)
	if err != nil {
		return plan, fmt.Errorf("asking %s for previews: %w", c.Host(), err)
	}
	for _, name := range names {
		if err := plan.add(ctx, c, name); err != nil {
			return plan, fmt.Errorf("looking into namespace %s: %w", name, err)
		}
	}
	classes, err := plan.cluster.Classes(ctx)
	if err != nil {
		return plan, err
	}
	for _, name := range classes {
		found, err := plan.cluster.Belongings(ctx, name)
		if err != nil {
			return plan, err
		}
		plan.Classes = append(plan.Classes, found)
	}
	plan.Intercepts, err = intercepts(ctx, c)
	return plan, err
}

// shops names the namespaces of the shop and of its previews.
func shops(ctx context.Context, c *cluster.Shop) ([]string, error) {
	previews, err := c.Previews(ctx, metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	names := []string{c.Namespace}
	for _, preview := range previews {
		if !slices.Contains(names, preview.Namespace) {
			names = append(names, preview.Namespace)
		}
	}
	return names, nil
}

// add plans to remove a namespace, unless it is not the workshop's alone. That of
// a class goes with the class, whatever its attendee has in it.
func (p *Plan) add(ctx context.Context, c client.Client, name string) error {
	namespace := &corev1.Namespace{}
	if err := c.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return client.IgnoreNotFound(err)
	}
	if namespace.Labels[class.Label] != "" {
		return nil
	}
	if !made(namespace) {
		p.Kept = append(p.Kept, kube.Place(namespace)+": it was not made by the workshop")
		return nil
	}
	others, err := foreign(ctx, c, name)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		p.Kept = append(p.Kept, kube.Place(namespace)+": others have something there: "+strings.Join(others, ", "))
		return nil
	}
	p.Namespaces = append(p.Namespaces, namespace)
	return nil
}

// intercepts are this laptop's, if it is connected to this cluster.
func intercepts(ctx context.Context, c *cluster.Shop) ([]string, error) {
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
