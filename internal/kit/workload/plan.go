// Package workload says what rendered manifests ask a machine without a
// cluster to run: which workloads, and by which Services they are reached.
//
// [Read] makes a [Plan] of the manifests. It starts and writes nothing. Package
// pod works out what one replica of a workload needs.
package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// Plan is what manifests ask to run.
type Plan struct {
	// Workloads are those with a program built from Go, or with another image that
	// can be run here, in the order of the manifests, Jobs included.
	Workloads []*Workload
	// Services are those that lead to one of the Workloads. A workload that
	// listens and that none leads to has one of its own name.
	Services []*Service
	// Ingresses lead to Services, of which not all need to be run here.
	Ingresses []Ingress
	// Notes say what is left out, one line each, with the reason and, where
	// there is one, the remedy.
	Notes []string

	objects   objects
	notes     []note
	elsewhere map[string]string // Services that run elsewhere
	// refersTo are the Services that environment and arguments of a workload name.
	refersTo map[*Workload][]*Service
	given    func(*Workload) map[string]string // nil if there are none
}

// objects are what Workloads and Services refer to, by namespace and name.
type objects struct {
	configMaps map[manifest.Key]map[string][]byte
	secrets    map[manifest.Key]map[string][]byte
	services   []*Service            // all, in the order of the manifests
	exposed    map[manifest.Key]bool // Services that an Ingress leads to
	namespaces map[string]bool
}

// note is a line for people; about is nil if it concerns no Workload.
type note struct {
	about    *Workload
	text     string
	services []manifest.Key // of which one is enough elsewhere for the note not to hold
}

// CheckServices refuses the names of Services, bare ones, that the manifests do
// not have: they are likely to be mistyped. One with a namespace may be of other
// manifests.
func (p *Plan) CheckServices(names []string) error {
	known := map[string]bool{}
	for _, s := range p.objects.services {
		known[s.Name] = true
	}
	for _, name := range names {
		if !known[name] && !strings.Contains(name, ".") {
			return fmt.Errorf("no Service %s: there are %s; one of another namespace is named as %[1]s.NAMESPACE",
				name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// ConfigMap returns the data of a ConfigMap, nil if the manifests have none of
// that name.
func (p *Plan) ConfigMap(namespace, name string) map[string][]byte {
	return p.objects.configMaps[manifest.Key{Namespace: namespace, Name: name}]
}

// Secret returns the data of a Secret, nil if the manifests have none of that
// name.
func (p *Plan) Secret(namespace, name string) map[string][]byte {
	return p.objects.secrets[manifest.Key{Namespace: namespace, Name: name}]
}
