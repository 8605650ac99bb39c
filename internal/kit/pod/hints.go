package pod

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/ko/pkg/build"
	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

// hints returns what the program may miss here that it has in a cluster, a line
// each.
func (d *draft) hints() []string {
	if d.isImage() {
		return nil // What runs it leads the paths that the image has built in.
	}
	about := fmt.Sprintf("%s: container %s", d.workload, d.container.Name)
	var hints []string
	for _, m := range d.container.VolumeMounts {
		if inside := path.Clean("/" + m.MountPath); !d.names(inside) && !isExpected(inside) {
			hints = append(hints, fmt.Sprintf("%s mounts volume %s at %s, a path that no variable or argument names: a program that has it built in "+
				"looks there on this machine; name it in a variable or an argument, which then leads to the volume", about, m.Name, inside))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.values)) {
		if isReference(d.values[name]) {
			hints = append(hints, fmt.Sprintf("%s: variable %s stays %s: there are no images here", about, name, d.values[name]))
		}
	}
	for _, arg := range d.arguments {
		if isReference(arg) {
			hints = append(hints, fmt.Sprintf("%s: argument %s stays as it is: there are no images here", about, arg))
		}
	}
	return hints
}

// names reports whether a variable, an argument, a probe or the working directory
// leads the program to a mounted path.
func (d *draft) names(inside string) bool {
	texts := slices.Concat(slices.Collect(maps.Values(d.values)), d.arguments)
	for _, probe := range []*corev1.Probe{d.container.ReadinessProbe, d.container.LivenessProbe, d.container.StartupProbe} {
		if probe != nil && probe.Exec != nil {
			texts = append(texts, probe.Exec.Command...)
		}
	}
	mounted := rewrite.NewPaths([]rewrite.Place{{Inside: inside}})
	if slices.ContainsFunc(texts, mounted.NamedIn) {
		return true
	}
	dir := path.Clean("/" + d.container.WorkingDir)
	return dir != "/" && (inside == dir || strings.HasPrefix(inside, dir+"/") || strings.HasPrefix(dir, inside+"/"))
}

// expected are the paths at which a volume stands in for what every machine has, or
// for what only a cluster gives.
var expected = []string{"/tmp", "/var/tmp", "/dev/shm", "/run/secrets", "/var/run/secrets", kodata}

func isExpected(inside string) bool {
	return slices.ContainsFunc(expected, func(dir string) bool { return inside == dir || strings.HasPrefix(inside, dir+"/") })
}

func isReference(text string) bool { return strings.HasPrefix(text, build.StrictScheme) }

// clusterHint says whether the programs of a pod reach a cluster that they have
// rights in.
func (r *replica) clusterHint() []string {
	switch {
	case !r.workload.UsesCluster:
		return nil
	case len(environment.Cluster()) > 0:
		return []string{fmt.Sprintf("%s: its ServiceAccount has rights in a cluster: it gets KUBECONFIG of this shell", r.workload)}
	}
	if hasOwnKubeconfig() {
		return []string{fmt.Sprintf("%s: its ServiceAccount has rights in a cluster: it finds the one of ~/.kube/config", r.workload)}
	}
	return []string{fmt.Sprintf("%s: its ServiceAccount has rights in a cluster, and there is none here: set KUBECONFIG in this shell if the program is to reach one", r.workload)}
}

// hasOwnKubeconfig reports whether programs find a cluster without KUBECONFIG.
func hasOwnKubeconfig() bool {
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(home, ".kube", "config"))
	return err == nil
}
