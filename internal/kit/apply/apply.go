package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/fluxcd/pkg/ssa"
	ssaerrors "github.com/fluxcd/pkg/ssa/errors"
	"github.com/fluxcd/pkg/ssa/utils"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Apply brings the objects in the manifests, a stream of YAML documents, to the
// cluster by server-side apply. Nothing is changed unless a server-side dry run
// accepts every object; if it does not, the error holds every refusal. If
// something fails after that, what was changed is undone.
func (c *Cluster) Apply(ctx context.Context, manifests []byte, report Report) error {
	objects, err := decode(manifests)
	if err != nil {
		return err
	}
	return c.send(ctx, objects, verb{dryRun: c.dryRunApply, run: c.applyOne}, report)
}

func (c *Cluster) dryRunApply(ctx context.Context, o object) error {
	_, err := c.dryRunPatch(ctx, o)
	if c.isGiven(ctx, o, err) {
		return nil
	}
	return c.refusal(o, err)
}

// dryRunPatch returns what the object would be.
func (c *Cluster) dryRunPatch(ctx context.Context, o object) (object, error) {
	result := o.DeepCopy()
	err := c.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(result), client.DryRunAll, client.ForceOwnership, client.FieldOwner(fieldManager))
	return result, err
}

func (c *Cluster) applyOne(ctx context.Context, o object) (string, error) {
	options := ssa.DefaultApplyOptions()
	options.Cleanup = takeOver()
	entry, err := c.manager.Apply(ctx, o.DeepCopy(), options)
	if c.isGiven(ctx, o, err) {
		return ssa.UnchangedAction.String(), nil
	}
	if err != nil {
		return "", c.refusal(o, err)
	}
	return entry.Action.String(), nil
}

// takeOver lets fields that kubectl, or create, once set be removed when they
// are gone from the manifests: without it they would stay for ever, owned by a
// manager that never applies again.
func takeOver() ssa.ApplyCleanupOptions {
	managers := []ssa.FieldManager{{Name: "kubectl", ExactMatch: true, OperationType: metav1.ManagedFieldsOperationApply}}
	for _, name := range []string{fieldManager, "kubectl-client-side-apply", "kubectl-create", "kubectl-replace"} {
		managers = append(managers, ssa.FieldManager{Name: name, ExactMatch: true, OperationType: metav1.ManagedFieldsOperationUpdate})
	}
	return ssa.ApplyCleanupOptions{
		Annotations:   []string{"kubectl.kubernetes.io/last-applied-configuration"},
		FieldManagers: managers,
	}
}

// Create creates the objects in the manifests, a stream of YAML documents, as
// `kubectl create` does: an object that exists already is an error. As with
// Apply, it is all or nothing.
func (c *Cluster) Create(ctx context.Context, manifests []byte, report Report) error {
	objects, err := decode(manifests)
	if err != nil {
		return err
	}
	return c.send(ctx, objects, verb{dryRun: c.dryRunCreate, run: c.createOne}, report)
}

func (c *Cluster) dryRunCreate(ctx context.Context, o object) error {
	return c.create(ctx, o, client.DryRunAll)
}

func (c *Cluster) createOne(ctx context.Context, o object) (string, error) {
	return ssa.CreatedAction.String(), c.create(ctx, o)
}

func (c *Cluster) create(ctx context.Context, o object, options ...client.CreateOption) error {
	options = append(options, client.FieldOwner(fieldManager), client.FieldValidation(metav1.FieldValidationStrict))
	return c.refusal(o, c.client.Create(ctx, o.DeepCopy(), options...))
}

// refusal says which object the cluster did not take, and where that object is.
func (c *Cluster) refusal(o object, err error) error {
	if err == nil {
		return nil
	}
	// The library's wrapper repeats the object in another notation.
	var dryRun *ssaerrors.DryRunErr
	if errors.As(err, &dryRun) {
		err = dryRun.Unwrap()
	}
	where := ""
	if o.GetNamespace() != "" {
		where = " in namespace " + o.GetNamespace()
	}
	remedy := ""
	var status apierrors.APIStatus
	if errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Kind == "namespaces" {
		remedy = ": apply the whole kustomization first, or create the namespace"
	}
	if utils.IsNamespace(o) && apierrors.IsForbidden(err) {
		remedy = "; ask who gave it to you: it is not as the manifests have it"
	}
	return fmt.Errorf("the cluster refuses %s%s: %w%s", reference(o), where, err, remedy)
}
