package render

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// explain says which kustomization could not be rendered, and where one of our
// flags helps, which. Kustomize gives these errors no types, only texts.
func explain(target string, opts Options, err error) error {
	if _, missing := os.Stat(target); missing != nil {
		return fmt.Errorf("kustomization %s: no such directory, and no repository that kustomize can fetch: %w", target, err)
	}
	elsewhere := fmt.Sprintf("or render it where Helm is: kustomize build --enable-helm %s | ko apply -f -", target)
	if text := conflict(err, opts.Namespace); text != "" {
		if opts.Namespace != "" {
			text = "--namespace " + opts.Namespace + ": " + text
		}
		return fmt.Errorf("rendering kustomization %s: %s", target, text)
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "must specify --enable-helm"):
		return fmt.Errorf("rendering kustomization %s: it has helmCharts, which the program helm inflates: pass --enable-helm, %s", target, elsewhere)
	case opts.Helm != "" && strings.Contains(text, "unable to run: '"+opts.Helm+" ") && !onPath(opts.Helm):
		return fmt.Errorf("rendering kustomization %s: its helmCharts need the program %s, which is not there: "+
			"install Helm, name its program by --helm-command, %s", target, opts.Helm, elsewhere)
	case strings.Contains(text, "security; file"):
		return fmt.Errorf("rendering kustomization %s: %w; --load-restrictor LoadRestrictionsNone lets a kustomization load files from outside its directory", target, err)
	}
	return fmt.Errorf("rendering kustomization %s: %w", target, err)
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
