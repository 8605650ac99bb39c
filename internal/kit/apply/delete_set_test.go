package apply_test

import (
	"context"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// Deleting a deployment without a record leaves what is part of the set of another one.
func TestDeleteWithoutARecordKeepsWhatIsAnothers(t *testing.T) {
	d := newDeployments(t)
	first, second := append(d.first[:2:2], d.role()), append(d.second[:2:2], d.role())
	d.mustApply(applyset.Set{Name: "shop"}, true, first)
	for _, set := range []applyset.Set{here, {Name: "shop"}, {Name: "shop", Namespace: d.other}, {Name: "another"}} {
		d.mustApply(set, false, second)
		if err := d.delete(set, second...); err != nil {
			t.Errorf("%+v: %v", set, err)
		}
		d.wantText(d.lines, "configmap/a deleted", "clusterrole.rbac.authorization.k8s.io/"+d.role().GetName()+" kept: it is part of another set")
		d.want(true, append(first, d.record(d.home))...)
		d.want(false, second[:2]...)
	}
}

// While a member is left, the record stays, and so does its namespace.
func TestRecordStaysWhileAMemberIsLeft(t *testing.T) {
	d := newDeployments(t)
	set, whole := applyset.Set{Name: "shop"}, d.cluster
	for _, own := range []string{d.home + "-1", d.home + "-2"} {
		objects := append(decode(t, own, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`, `{apiVersion: v1, kind: Namespace, metadata: {name: a-NS}}`),
			d.setting(own, "a"), d.setting(own, "b"), d.setting(d.other, "c"))
		refused := map[bool]kube.Object{true: objects[4], false: objects[1]}[own == d.home+"-1"] // The second is a namespace, too.
		d.mustApply(set, true, objects)
		partly := *whole
		partly.WithWatch = interceptor.NewClient(whole.WithWatch, interceptor.Funcs{
			Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
				if kube.NameIn(o) == kube.NameIn(refused) {
					return errInjected
				}
				return w.Delete(ctx, o, opts...)
			},
		})
		d.cluster = &partly
		wantError(t, d.delete(set, objects...), kube.Name(refused)+": injected")
		d.wantText(d.lines, "namespace/"+own+" kept: it has configmap/shop, the record of the set, of which not all could be deleted: ")
		d.want(true, refused, objects[0], d.record(own))
		d.cluster = whole
		if err := d.delete(set, objects...); err != nil {
			t.Error(err)
		}
		d.want(false, objects...)
	}
}

// The record and its namespace stay as well if it is not known what members there are.
func TestRecordStaysWhileMembersAreUnknown(t *testing.T) {
	d := newDeployments(t)
	own, set := d.home+"-1", applyset.Set{Name: "shop"}
	objects := append(decode(t, own, `{apiVersion: v1, kind: Namespace, metadata: {name: NS}}`), d.setting(own, "a"), d.setting(own, "b"), d.setting(d.other, "gone"))
	d.mustApply(set, true, objects)
	whole := d.cluster
	blind := *whole
	blind.WithWatch = interceptor.NewClient(whole.WithWatch, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errInjected
		},
	})
	d.cluster = &blind
	wantError(t, d.delete(set, objects[:3]...), "what is gone from the kustomization is still there, and configmap/shop in namespace "+own+", the record of it: ", "injected")
	d.wantText(d.lines, "configmap/a deleted", "namespace/"+own+" kept: it has configmap/shop, the record of the set")
	d.want(true, objects[0], objects[3], d.record(own))
	d.cluster = whole
	if err := d.delete(set, objects[:3]...); err != nil {
		t.Error(err)
	}
	d.want(false, objects...)
}
