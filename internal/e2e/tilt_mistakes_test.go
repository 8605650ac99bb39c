//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// A terminal that has not read .cluster/env is told so.
func TestTiltWithoutTheEnvironment(t *testing.T) {
	tl := tiltIn(t)
	tl.write(t, ".cluster/env", "export KUBECONFIG=/missing\n")
	cmd := tl.command(t, "ci", "--web-mode=prod")
	cmd.Env = append(cmd.Env, "KUBECONFIG=", "HOME="+t.TempDir())
	if err := cmd.Run(); err == nil || !strings.Contains(tl.printed(t), "run `. .cluster/env` in this terminal") {
		t.Errorf("error %v\n%s", err, tl.printed(t))
	}
}

// Upstream's ko, which has the same name, is no surprise in the first build.
func TestKoBuildWithUpstreamsKo(t *testing.T) {
	tl := tiltIn(t)
	for ko, want := range map[string]string{
		buildUpstream(t): "is upstream ko (v",
		"no-such-ko":     "there is no program no-such-ko",
	} {
		tl.write(t, "Tiltfile", fmt.Sprintf(`
load('./internal/tilt/ko_build/Tiltfile', 'ko_build')
allow_k8s_contexts(k8s_context())
ko_build('ko://github.com/koshop/koshop/cmd/product-svc', './cmd/product-svc', ko=%q)
`, ko))
		err := tl.command(t, "ci", "--web-mode=prod").Run()
		if printed := tl.printed(t); err == nil || !strings.Contains(printed, want) || !strings.Contains(printed, "go install github.com/koshop/koshop/cmd/ko") {
			t.Errorf("ko %s: error %v\n%s", ko, err, printed)
		}
	}
}
