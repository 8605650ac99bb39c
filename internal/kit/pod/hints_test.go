package pod_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A program may miss what it finds in an image or in a cluster: that is said before
// it starts.
func TestHints(t *testing.T) {
	const mount = "volumeMounts: [{name: v, mountPath: /etc/acme/limits.json, subPath: limits.json}]\n"
	const volume = "      volumes: [{name: v, emptyDir: {}}]\n"
	const builtIn = "container main mounts volume v at /etc/acme/limits.json"
	for name, test := range map[string]struct {
		fields string
		want   string // "" for no hint
	}{
		"path built in":                  {mount, builtIn},
		"only the directory above named": {mount + "env: [{name: DIR, value: /etc/acme}]\n", builtIn},
		"another path named":             {mount + "env: [{name: FILE, value: /etc/acme/limits.json5}]\n", builtIn},
		"named in a variable":            {mount + "env: [{name: FILE, value: /etc/acme/limits.json}]\n", ""},
		"named in a URL":                 {mount + "env: [{name: FILE, value: 'file:///etc/acme/limits.json?ro=1'}]\n", ""},
		"named in an argument":           {mount + "args: [--limits=/etc/acme/limits.json]\n", ""},
		"named by a variable's variable": {mount + "env: [{name: D, value: /etc/acme}, {name: FILE, value: $(D)/limits.json}]\n", ""},
		"named in a probe":               {mount + "livenessProbe: {exec: {command: [/ko-app/app, check, /etc/acme/limits.json]}}\n", ""},
		"below the working directory":    {mount + "workingDir: /etc\n", ""},
		"temporary files":                {"volumeMounts: [{name: v, mountPath: /tmp}]\n", ""},
		"what a cluster gives":           {"volumeMounts: [{name: v, mountPath: /var/run/secrets/tokens}]\n", ""},
		"image in a variable":            {"env: [{name: RELATED_IMAGE, value: 'ko://example.com/agent'}]\n", "variable RELATED_IMAGE stays ko://example.com/agent"},
		"image in an argument":           {"args: [--agent, 'ko://example.com/agent']\n", "argument ko://example.com/agent stays as it is"},
		"text about ko://":               {"args: ['--help=ko://example.com/agent']\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			manifests := strings.TrimSuffix(deployment("app", test.fields), "---\n") + volume
			hints := strings.Join(newPod(t, read(t, manifests), "app", newSite(t)).Hints, "\n")
			if test.want == "" && hints != "" || !strings.Contains(hints, test.want) || strings.Count(hints, "\n") > 0 {
				t.Errorf("hints %q, want one with %q", hints, test.want)
			}
			if hints != "" && !strings.HasPrefix(hints, "deployment.apps/app: ") {
				t.Errorf("hint %q does not say of what it is", hints)
			}
		})
	}
}

// A program whose ServiceAccount has rights in a cluster finds the one of this shell.
func TestRightsInACluster(t *testing.T) {
	bound := strings.Replace(deployment("app", ""), "    spec:\n", "    spec:\n      serviceAccountName: operator\n", 1) + `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}
subjects: [{kind: ServiceAccount, name: operator, namespace: api}]
---
`
	silent := strings.Replace(bound, "    spec:\n", "    spec:\n      automountServiceAccountToken: false\n", 1)
	other := strings.Replace(bound, "namespace: api}]", "namespace: other}]", 1)
	dir := t.TempDir()
	t.Chdir(dir)
	for _, test := range []struct {
		name, manifests, kubeconfig, variable, hint string
	}{
		{"with a kubeconfig", bound, "config", filepath.Join(dir, "config"), "it gets KUBECONFIG of this shell"},
		{"with two", bound, "a:" + "/b", filepath.Join(dir, "a") + ":/b", "it gets KUBECONFIG of this shell"},
		{"with none", bound, "", "-", "set KUBECONFIG in this shell"},
		{"of another namespace", other, "config", "-", ""},
		{"without a token", silent, "config", "-", ""},
		{"without rights", deployment("app", ""), "config", "-", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.kubeconfig)
			t.Setenv("HOME", dir)
			p := newPod(t, read(t, test.manifests), "app", newSite(t))
			wantVariables(t, p.Containers[0], map[string]string{"KUBECONFIG": test.variable})
			if hints := strings.Join(p.Hints, "\n"); !strings.Contains(hints, test.hint) || (test.hint == "") != (hints == "") {
				t.Errorf("hints %q, want %q", hints, test.hint)
			}
		})
	}
}
