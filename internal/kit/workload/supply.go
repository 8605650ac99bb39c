package workload

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// SecretKey is a key of a Secret.
type SecretKey struct {
	Namespace, Secret, Key string
	// Variables are the names by which the plan's containers take it, sorted.
	Variables []string
}

// String names the key for people.
func (k SecretKey) String() string { return fmt.Sprintf("key %s of Secret %s", k.Key, k.Secret) }

// Supply gives the plan the keys of Secrets that its containers of other images
// than Go's take, such as a database's password, and that the manifests do not
// have: something in the cluster makes them there. The other containers get the
// same value.
func (p *Plan) Supply(value func(SecretKey) (string, error)) error {
	for _, k := range p.missingKeys() {
		text, err := value(k)
		if err != nil {
			return fmt.Errorf("making a value for %s: %w", k, err)
		}
		name := manifest.Key{Namespace: k.Namespace, Name: k.Secret}
		if p.objects.secrets[name] == nil {
			p.objects.secrets[name] = map[string][]byte{}
		}
		p.objects.secrets[name][k.Key] = []byte(text)
	}
	return nil
}

// missingKeys returns the keys that Supply is about.
func (p *Plan) missingKeys() []SecretKey {
	var missing []SecretKey
	for _, w := range p.Workloads {
		for _, c := range w.Containers() {
			for _, v := range secretVariables(c) {
				ref := v.ValueFrom.SecretKeyRef
				_, known := p.Secret(w.Namespace, ref.Name)[ref.Key]
				k := SecretKey{Namespace: w.Namespace, Secret: ref.Name, Key: ref.Key}
				if !isBuilt(c) && !known && (ref.Optional == nil || !*ref.Optional) {
					missing = append(missing, k)
				}
			}
		}
	}
	slices.SortFunc(missing, func(a, b SecretKey) int { return strings.Compare(a.id(), b.id()) })
	missing = slices.CompactFunc(missing, func(a, b SecretKey) bool { return a.id() == b.id() })
	for i := range missing {
		missing[i].Variables = p.variablesOf(missing[i])
	}
	return missing
}

func (k SecretKey) id() string { return k.Namespace + "/" + k.Secret + "/" + k.Key }

func (p *Plan) variablesOf(k SecretKey) []string {
	var names []string
	for _, w := range p.Workloads {
		for _, c := range w.Containers() {
			for _, v := range secretVariables(c) {
				if ref := v.ValueFrom.SecretKeyRef; w.Namespace == k.Namespace && ref.Name == k.Secret && ref.Key == k.Key {
					names = append(names, v.Name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// secretVariables returns the variables that a container takes from Secrets.
func secretVariables(c corev1.Container) []corev1.EnvVar {
	return slices.DeleteFunc(slices.Clone(c.Env), func(v corev1.EnvVar) bool {
		return v.ValueFrom == nil || v.ValueFrom.SecretKeyRef == nil
	})
}
