package apply_test

import (
	"slices"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// With --namespace, the record of another deployment is not taken for that of this one, not
// even if that deployment has objects in the same namespace.
func TestChosenNamespaceTakesNothingOver(t *testing.T) {
	d := newDeployments(t)
	d.mustApply(applyset.Set{Name: "shop"}, true, d.first)
	choices := []string{"is part of the set whose record is configmap/shop in namespace " + d.home + ", and --namespace chooses another namespace: ",
		"if it is that set, say so with --applyset " + d.home + "/shop; ", "if this is another deployment, say so with --applyset " + d.other + "/shop: "}
	wantError(t, d.apply(here, true, d.second), append(choices, "nothing was changed in the cluster: ")...)
	d.want(true, d.first...)
	d.want(false, d.second[:2]...)

	d.mustApply(here, false, d.second)
	live, err := d.cluster.Live(t.Context(), d.second[0])
	if err != nil || live.GetLabels()[applyset.PartOfLabel] != "" {
		t.Errorf("error %v; it is in the set of the other deployment: %v", err, live.GetLabels())
	}
	wantError(t, d.delete(here, d.second...), append(choices, "nothing was deleted: ")...)
	d.want(true, slices.Concat(d.first, d.second)...)

	if err := d.delete(applyset.Set{Name: "shop", Namespace: d.other}, d.second...); err != nil {
		t.Error(err)
	}
	d.want(true, append(d.first, d.record(d.home))...)
	d.want(false, d.second[:2]...)
}

// Nor is it if the record is in the chosen namespace, and the other deployment was made
// without --namespace.
func TestChosenNamespaceOfAnotherRecord(t *testing.T) {
	d := newDeployments(t)
	d.mustApply(applyset.Set{Name: "shop"}, true, d.first)
	chosen := []kube.Object{d.setting(d.home, "a"), d.setting(d.home, "b"), d.setting(d.home, "shared"), d.role()}
	doubt := []string{"configmap/shared in namespace " + d.other + " is part of the set", "configmap/shared in namespace " + d.home + " has the same name",
		"say so with --applyset " + d.home + "/shop; if this is another deployment, say so with --applyset " + d.home + "/NAME, any other name: "}
	wantError(t, d.apply(here, true, chosen), doubt...)
	wantError(t, d.delete(here, chosen...), append(doubt, "nothing was deleted: ")...)
	d.want(true, d.first...)
	named := applyset.Set{Name: "shop", Namespace: d.home, OnlyHere: true}
	d.mustApply(named, true, chosen)
	d.want(false, d.first[2])
	d.mustApply(here, true, chosen[:2])
	d.want(false, chosen[2:]...)
	if err := d.delete(here, chosen[:2]...); err != nil {
		t.Error(err)
	}
	d.want(false, append(chosen, d.record(d.home))...)
}

// Without --namespace either, a record elsewhere is not this set's if an object is the copy
// of a member there.
func TestCopyTakesNothingOver(t *testing.T) {
	d := newDeployments(t)
	set := applyset.Set{Name: "shop"}
	d.mustApply(set, true, d.first)
	doubt := "configmap/a in namespace " + d.home + " is part of the set whose record is configmap/shop in namespace " + d.home +
		", and configmap/a in namespace " + d.other + " has the same name and is no part of it: it may have moved, or be of another deployment: " +
		"if it is that set, say so with --applyset " + d.home + "/shop; if this is another deployment, say so with --applyset " + d.other + "/shop: "
	wantError(t, d.apply(set, true, d.second), "nothing was changed in the cluster: ", doubt)
	d.mustApply(set, false, d.second)
	wantError(t, d.apply(set, true, d.second), "nothing was changed in the cluster: ", doubt) // It is a copy also when it is there.
	if err := d.delete(set, d.second...); err != nil {
		t.Error(err)
	}
	d.wantText(d.notes, "only what the kustomization has is deleted: ", doubt)
	d.wantText(d.lines, "configmap/shared kept: it is part of another set", "-shared kept: it is part of another set")
	d.want(true, append(d.first, d.record(d.home))...)
	d.want(false, d.second[:2]...)

	d.mustApply(applyset.Set{Name: "shop", Namespace: d.home}, true, d.second) // It has moved, the user says.
	d.want(true, d.second...)
	d.want(false, d.first[:2]...)
	d.mustApply(set, true, d.second)
	if err := d.delete(set, d.second...); err != nil {
		t.Error(err)
	}
	d.wantText(d.notes, "the record of the set is configmap/shop in namespace "+d.home+", where the kustomization has no object any more: all members of that set are deleted")
	d.want(false, append(d.second, d.record(d.home))...)
}

// A copy has another hash behind its name if its content differs.
func TestCopyOfAGeneratedObject(t *testing.T) {
	d := newDeployments(t)
	set := applyset.Set{Name: "shop"}
	d.mustApply(set, true, []kube.Object{d.setting(d.home, "a-2456789bcd"), d.setting(d.home, "b"), d.setting(d.other, "shared")})
	second := []kube.Object{d.setting(d.other, "a-2456789bck"), d.setting(d.other, "shared")}
	wantError(t, d.apply(set, true, second), "configmap/a-2456789bcd in namespace "+d.home+" is part of the set", "configmap/a-2456789bck in namespace "+d.other+" has the same name")
	d.mustApply(set, true, []kube.Object{d.setting(d.other, "new"), d.setting(d.other, "shared")}) // There is no copy.
	d.want(false, d.setting(d.home, "b"))
}

// A record in a namespace of few objects may be that of another deployment as well.
func TestRecordInANamespaceOfFewObjects(t *testing.T) {
	d := newDeployments(t)
	set := applyset.Set{Name: "shop"}
	d.mustApply(here, true, d.second)
	doubt := "configmap/a in namespace " + d.other + " is part of the set whose record is configmap/shop in namespace " + d.other +
		", and configmap/a in namespace " + d.home + " has the same name"
	wantError(t, d.apply(set, true, d.first), "nothing was changed in the cluster: ", doubt)
	d.mustApply(set, false, d.first)
	if err := d.delete(set, d.first...); err != nil {
		t.Error(err)
	}
	d.wantText(d.notes, "only what the kustomization has is deleted: "+doubt)
	d.want(true, append(d.second, d.record(d.other))...)
	d.want(false, d.first[:2]...)

	// Nothing is doubtful if objects are only added, however many.
	d.mustApply(set, true, append(copies(d.second), d.setting(d.home, "new-1"), d.setting(d.home, "new-2"), d.setting(d.home, "new-3"), d.setting(d.home, "new-4")))
	d.want(false, d.record(d.home))
}
