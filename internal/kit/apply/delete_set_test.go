package apply_test

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
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
