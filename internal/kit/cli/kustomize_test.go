package cli_test

import "testing"

// Mistakes in the flags that say which kustomization, and how it is rendered.
func TestMistakesWithAKustomization(t *testing.T) {
	const overlay = "config/overlays/prod"
	mistakes(t, map[string]mistake{
		"two kustomizations": {
			args: []string{"apply", "-k", overlay, "-k", "config/base"},
			want: []string{"-k was given twice: config/overlays/prod and config/base", "as resources"},
		},
		"one kustomization twice": {
			args: []string{"delete", "-k", overlay, "--kustomize=" + overlay},
			want: []string{"-k was given twice"},
		},
		"two kustomizations to resolve": {
			args: []string{"resolve", "-kconfig/base", "-k=config/overlays/prod"},
			want: []string{"-k was given twice: config/base and config/overlays/prod"},
		},
		"two kustomizations to create": {
			args: []string{"create", "--kustomize", overlay, "-k", "config/base"},
			want: []string{"-k was given twice"},
		},
		"kustomization of an unset variable": {
			args: []string{"apply", "-k", ""},
			want: []string{"-k needs the directory of a kustomization"},
		},
		"helm charts": {
			args: []string{"resolve", "-k", "config/charts"},
			want: []string{"rendering kustomization config/charts: it has helmCharts", "pass --enable-helm"},
		},
		"helm charts without helm": {
			args: []string{"resolve", "-k", "config/charts", "--enable-helm", "--helm-command=no-such-helm"},
			want: []string{"need the program no-such-helm", "--helm-command"},
		},
		"helm charts to run": {
			args: []string{"up", "-k", "config/charts"},
			want: []string{"it has helmCharts", "pass --enable-helm"},
		},
		"helm's program, not asked for": {
			args: []string{"resolve", "-k", overlay, "--helm-command=helm"},
			want: []string{"--helm-command goes with --enable-helm"},
		},
		"helm's program of an unset variable": {
			args: []string{"resolve", "-k", overlay, "--enable-helm", "--helm-command="},
			want: []string{"--helm-command needs the name or the path of a program"},
		},
		"helm with files": {
			args: []string{"apply", "--enable-helm", "-f", "config/base/web.yaml"},
			want: []string{"--enable-helm goes with -k"},
		},
		"an unknown restriction": {
			args: []string{"delete", "-k", overlay, "--load-restrictor=none"},
			want: []string{"--load-restrictor", "expected LoadRestrictionsRootOnly or LoadRestrictionsNone"},
		},
	})
}
