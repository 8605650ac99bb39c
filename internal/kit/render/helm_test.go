package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
)

// chart is a kustomization with a local chart, and an overlay that makes its
// image one of ours.
var chart = map[string]string{
	"base/kustomization.yaml":            "helmCharts:\n- {name: web, releaseName: shop}\n",
	"base/charts/web/Chart.yaml":         "apiVersion: v2\nname: web\nversion: 0.1.0\n",
	"base/charts/web/values.yaml":        "{}\n",
	"base/charts/web/templates/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{.Release.Name}}'}\nspec: {containers: [{name: web, image: 'web:1.0'}]}\n",
	"overlay/kustomization.yaml":         "resources: [../base]\nimages: [{name: web, newName: ko://example.com/cmd/web}]\n",
}

// standIn does what the charts of these tests need of Helm, which Debian does
// not have: kustomize calls `helm version` and `helm template RELEASE CHART`.
const standIn = `#!/bin/sh
case $1 in
version) echo v3.19.0 ;;
template) sed "s/{{.Release.Name}}/$2/" "$3"/templates/* ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
`

// helm returns Helm's program, or where there is none, the stand-in.
func helm(t *testing.T) string {
	t.Helper()
	if program, err := exec.LookPath("helm"); err == nil {
		return program
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is neither helm nor a shell")
	}
	program := filepath.Join(t.TempDir(), "helm")
	if err := os.WriteFile(program, []byte(standIn), 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

func TestHelmCharts(t *testing.T) {
	dir := writeTree(t, chart)
	opts := render.Options{Helm: helm(t)}
	manifests, files, err := render.KustomizationFiles(filepath.Join(dir, "overlay"), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: shop\n", "image: ko://example.com/cmd/web\n"} {
		if !strings.Contains(string(manifests), want) {
			t.Errorf("%q is not in\n%s", want, manifests)
		}
	}
	// What the chart is made of is watched, too.
	for _, name := range []string{"base/charts/web/templates/pod.yaml", "base/charts/web/values.yaml", "overlay/kustomization.yaml"} {
		if !slices.Contains(files, filepath.Join(dir, name)) {
			t.Errorf("%s is missing in %q", name, files)
		}
	}
}

// A chart that kustomize has fetched is in a directory of its version.
func TestFilesOfAFetchedChart(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml":                        "helmGlobals: {chartHome: vendored}\nhelmCharts:\n- {name: web, repo: https://charts.example.com, version: 1.2.3, releaseName: shop}\n",
		"vendored/web-1.2.3/web/Chart.yaml":         chart["base/charts/web/Chart.yaml"],
		"vendored/web-1.2.3/web/values.yaml":        "{}\n",
		"vendored/web-1.2.3/web/templates/pod.yaml": chart["base/charts/web/templates/pod.yaml"],
	})
	_, files, err := render.KustomizationFiles(dir, render.Options{Helm: helm(t)})
	if want := filepath.Join(dir, "vendored/web-1.2.3/web/templates/pod.yaml"); err != nil || !slices.Contains(files, want) {
		t.Errorf("error %v, %s is missing in %q", err, want, files)
	}
}

func TestErrorsNameTheFlag(t *testing.T) {
	files := map[string]string{
		"outside/kustomization.yaml": "resources: [../pod.yaml]\n",
		"pod.yaml":                   "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
		"failing":                    "#!/bin/sh\necho no such chart >&2\nexit 1\n",
	}
	for name, content := range chart {
		files[name] = content
	}
	dir := writeTree(t, files)
	if err := os.Chmod(filepath.Join(dir, "failing"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		target string
		opts   render.Options
		want   []string
	}{
		"charts without Helm":          {"base", render.Options{}, []string{"it has helmCharts", "pass --enable-helm", "kustomize build --enable-helm TARGET | ko apply -f -"}},
		"charts of a base":             {"overlay", render.Options{}, []string{"it has helmCharts", "pass --enable-helm", "kustomize build --enable-helm TARGET | ko apply -f -"}},
		"no such program":              {"overlay", render.Options{Helm: "no-such-helm"}, []string{"need the program no-such-helm, which is not there", "--helm-command", "kustomize build --enable-helm TARGET"}},
		"Helm fails":                   {"overlay", render.Options{Helm: filepath.Join(dir, "failing")}, []string{"no such chart", "exit status 1"}},
		"a file outside":               {"outside", render.Options{}, []string{"pod.yaml", "--load-restrictor LoadRestrictionsNone"}},
		"not there, whatever the flag": {"none", render.Options{Helm: "no-such-helm", AnyFile: true}, []string{"kustomization TARGET: no such directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			target := filepath.Join(dir, test.target)
			_, err := render.Kustomization(target, test.opts)
			for _, want := range test.want {
				if want = strings.ReplaceAll(want, "TARGET", target); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
		})
	}
	if out, err := render.Kustomization(filepath.Join(dir, "outside"), render.Options{AnyFile: true}); err != nil || !strings.Contains(string(out), "name: web") {
		t.Errorf("without restriction: error %v, rendered\n%s", err, out)
	}
}
