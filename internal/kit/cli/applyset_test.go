package cli_test

import "testing"

// Mistakes in the flags that say what is pruned.
func TestMistakesWithPrune(t *testing.T) {
	const overlay = "config/overlays/prod"
	mistakes(t, map[string]mistake{
		"pruning with files": {
			args: []string{"apply", "--prune", "-f", "config/base/web.yaml"},
			want: []string{"--prune goes with -k"},
		},
		"pruning with create": {
			args: []string{"create", "--prune", "-k", overlay},
			want: []string{"unknown flag: --prune"},
		},
		"pruning a part": {
			args: []string{"apply", "--prune", "-k", overlay, "-l", "a=b"},
			want: []string{"--prune goes with the whole kustomization", "--selector"},
		},
		"showing what would be pruned of a part": {
			args: []string{"diff", "--prune", "-k", overlay, "-l", "a=b"},
			want: []string{"--prune goes with the whole kustomization", "--selector"},
		},
		"pruning without waiting": {
			args: []string{"apply", "--prune", "--wait=false", "-k", overlay},
			want: []string{"--prune waits"},
		},
		"a set of a kind": {
			args: []string{"apply", "--applyset=configmap/shop", "-k", overlay},
			want: []string{`--applyset "configmap/shop": "configmap" is no namespace: it is the name of a ConfigMap, without its kind, such as shop-dev`},
		},
		"a set in no namespace": {
			args: []string{"apply", "--applyset=/shop", "-k", overlay},
			want: []string{`--applyset "/shop": "" is no namespace`},
		},
		"a namespace without a set": {
			args: []string{"delete", "--applyset=web/", "-k", overlay},
			want: []string{`--applyset "web/": it is the name of a ConfigMap`},
		},
		"a set of an unset variable": {
			args: []string{"delete", "--applyset=", "-k", overlay},
			want: []string{`--applyset ""`},
		},
	})
}
