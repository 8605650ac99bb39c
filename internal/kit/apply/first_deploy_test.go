//go:build apiserver

package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/apply/plan"
)

// A first deploy that is refused half way leaves nothing, not even what has no
// fields, and what cannot go is named.
func TestUndoOfAFirstDeploy(t *testing.T) {
	c := newCluster(t)
	ns := newNamespace(t, c)
	const pod = `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: NS}, spec: {serviceAccountName: plain, containers: [{name: c, image: c, ports: [{containerPort: PORT}]}]}}`
	manifests := append(slices.Clone(twenty[:2]), strings.ReplaceAll(pod, "PORT", "99999"))
	before := snapshot(t, c, decode(t, ns, strings.Join(manifests, "\n---\n")))
	_, err := send(t, c, plan.Options{}, decode(t, ns, strings.Join(manifests, "\n---\n"))...)
	wantError(t, err, "the cluster is as it was", "spec.containers[0].ports[0].containerPort")
	wantSame(t, before, snapshot(t, c, decode(t, ns, strings.Join(manifests, "\n---\n"))))
}
