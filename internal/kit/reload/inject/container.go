package inject

import (
	"fmt"
	"iter"
	"strings"

	ko "github.com/google/ko/pkg/build"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/workload"
)

// programDir is where ko puts the program of an image
// (https://ko.build/features/build-cache/).
const programDir = "/ko-app"

// user is what the init container runs as where the pod says root.
const user = 65532

const (
	// volumeSize holds the versions of an executable that may run again, the one that
	// arrives, and the debugger.
	volumeSize = "2Gi"
	// supervisorSize holds the supervisor.
	supervisorSize = "64Mi"
	// minMemory is the least memory limit of a container that has one: a debugger reads
	// all there is to know about a program.
	minMemory = "512Mi"
	// besides is the memory of the supervisor and of what receives an executable.
	besides = 64 << 20
)

// pod is the specification of a pod, and what it is known as in the plan.
type pod struct {
	kind, name string // of the object that describes it
	spec       map[string]any
	workload   *workload.Workload
}

// runsOn returns the containers that run as long as the pod does: init containers do if
// they are sidecars.
func (p *pod) runsOn() iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		for _, field := range []string{"initContainers", "containers"} {
			for _, each := range list(p.spec, field) {
				container, isMap := each.(map[string]any)
				if !isMap || field == "initContainers" && container["restartPolicy"] != string(corev1.ContainerRestartPolicyAlways) {
					continue
				}
				if !yield(container) {
					return
				}
			}
		}
	}
}

// isBuilt says whether a container runs a program that ko builds.
func isBuilt(container map[string]any) bool {
	image, _ := container["image"].(string)
	return strings.HasPrefix(image, ko.StrictScheme)
}

// cannotSupervise says why a container's program is not the one that ko builds, "" if
// it is.
func cannotSupervise(container map[string]any) string {
	command := list(container, "command")
	if len(command) == 0 {
		return ""
	}
	first, _ := command[0].(string)
	if !workload.IsProgram(first, workload.ImportPath(container["image"].(string))) {
		return fmt.Sprintf("its command begins with %q, which is not the program of its image", first)
	}
	return ""
}

// supervise has the supervisor run what the container runs.
func (p *pod) supervise(container map[string]any) error {
	name, _ := container["name"].(string)
	told, err := p.describe(name, workload.ImportPath(container["image"].(string)))
	if err != nil {
		return err
	}
	arguments, err := told.Arguments()
	if err != nil {
		return err
	}
	command := []any{wire.SupervisorPath, "run", wire.DirFlag, wire.StoreDir}
	for _, argument := range append(arguments, "--") {
		command = append(command, argument)
	}
	if own := list(container, "command"); len(own) > 0 {
		command = append(command, own...)
	} else {
		command = append(command, programDir)
	}
	container["command"] = command
	container["volumeMounts"] = append(list(container, "volumeMounts"),
		map[string]any{"name": wire.VolumeName, "mountPath": wire.Dir, "readOnly": true},
		map[string]any{"name": p.store(name), "mountPath": wire.StoreDir},
		map[string]any{"name": p.bring(name), "mountPath": wire.RecordDir, "readOnly": true})
	// A program that hangs, at a breakpoint say, is replaced by the next one, not by the
	// kubelet.
	delete(container, "livenessProbe")
	return giveMemory(container)
}

// store adds the volume that keeps what is sent to a container, and returns its name.
func (p *pod) store(container string) string {
	name := wire.StoreVolume(container)
	p.spec["volumes"] = append(list(p.spec, "volumes"), map[string]any{"name": name, "emptyDir": map[string]any{"sizeLimit": volumeSize}})
	return name
}

// bring adds the volume by which a new pod gets the newest version of a container's
// program, and returns its name.
func (p *pod) bring(container string) string {
	var sources []any
	for part := range wire.RecordParts {
		sources = append(sources, map[string]any{"configMap": map[string]any{"name": wire.RecordName(p.record(container), part), "optional": true}})
	}
	name := wire.RecordVolume(container)
	p.spec["volumes"] = append(list(p.spec, "volumes"), map[string]any{"name": name, "projected": map[string]any{"sources": sources}})
	return name
}

// record begins the names of the ConfigMaps of a container, which are the same for all
// pods of an object.
func (p *pod) record(container string) string {
	return wire.VolumeName + "." + shortened(strings.ToLower(p.kind)+"."+p.name+"."+container)
}

// shortened returns a name that is not too long for an object's.
func shortened(name string) string {
	const most = 200
	if len(name) <= most {
		return name
	}
	return name[:most-17] + "-" + string(wire.DigestBytes([]byte(name)))[:16]
}

// giveMemory raises the memory limit of a container, if it has one: two versions of a
// program run beside each other for a moment.
func giveMemory(container map[string]any) error {
	at := []string{"resources", "limits", string(corev1.ResourceMemory)}
	limit, found, err := unstructured.NestedFieldNoCopy(container, at...)
	if err != nil || !found {
		return nil // The API server says what is wrong.
	}
	memory, err := resource.ParseQuantity(fmt.Sprint(limit))
	if err != nil {
		return fmt.Errorf("resources.limits.memory: %w", err)
	}
	more := resource.NewQuantity(2*memory.Value()+besides, resource.BinarySI)
	if least := resource.MustParse(minMemory); more.Cmp(least) < 0 {
		more = &least
	}
	// What asks for nothing asks for its limit.
	if _, asks, _ := unstructured.NestedFieldNoCopy(container, "resources", "requests", string(corev1.ResourceMemory)); !asks {
		if err := unstructured.SetNestedField(container, fmt.Sprint(limit), "resources", "requests", string(corev1.ResourceMemory)); err != nil {
			return err
		}
	}
	return unstructured.SetNestedField(container, more.String(), at...)
}

// carry puts the init container and the volume into a pod that bring the supervisor to
// its containers.
func (p *pod) carry(image string) error {
	for field, what := range map[string]string{"volumes": "a volume", "initContainers": "an init container"} {
		for _, each := range list(p.spec, field) {
			if named, isMap := each.(map[string]any); isMap && named["name"] == wire.VolumeName {
				return fmt.Errorf("it has %s called %s already: take it out of the manifests", what, wire.VolumeName)
			}
		}
	}
	p.spec["initContainers"] = append([]any{p.installer(image)}, list(p.spec, "initContainers")...)
	p.spec["volumes"] = append(list(p.spec, "volumes"), map[string]any{"name": wire.VolumeName, "emptyDir": map[string]any{"sizeLimit": supervisorSize}})
	return nil
}

// installer is the init container that copies the supervisor to the volume. It asks
// for no more than Pod Security's restricted policy lets it.
func (p *pod) installer(image string) map[string]any {
	security := map[string]any{
		"allowPrivilegeEscalation": false,
		"readOnlyRootFilesystem":   true,
		"runAsNonRoot":             true,
		"capabilities":             map[string]any{"drop": []any{"ALL"}},
		"seccompProfile":           map[string]any{"type": string(corev1.SeccompProfileTypeRuntimeDefault)},
	}
	// OpenShift, say, gives a pod the user that it may have, unless it names one.
	if root, _, _ := unstructured.NestedInt64(p.spec, "securityContext", "runAsUser"); root == 0 && p.saysUser() {
		security["runAsUser"] = int64(user)
	}
	return map[string]any{
		"name":            wire.VolumeName,
		"image":           image,
		"args":            []any{"install", wire.Dir},
		"securityContext": security,
		"resources": map[string]any{
			"requests": map[string]any{"cpu": "10m", "memory": "16Mi"},
			"limits":   map[string]any{"cpu": "500m", "memory": "64Mi"},
		},
		"volumeMounts": []any{map[string]any{"name": wire.VolumeName, "mountPath": wire.Dir}},
	}
}

func (p *pod) saysUser() bool {
	_, found, _ := unstructured.NestedFieldNoCopy(p.spec, "securityContext", "runAsUser")
	return found
}
