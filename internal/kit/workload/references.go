package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

// references returns the Services that environment or arguments of w name, in
// the order of the manifests.
func (p *Plan) references(w *Workload) ([]*Service, error) {
	named := map[*Service]bool{}
	find := Names{Plan: p, Namespace: w.Namespace, Address: func(s *Service, port int32) string {
		named[s] = true
		return "127.0.0.1:1"
	}}.Find
	find = w.mentioning(find)
	nowhere := func(int32) (int, bool) { return 0, false }
	source := p.Source(w, 0)
	source.Lenient = true
	for _, c := range w.Containers() {
		values, err := source.Variables(c)
		if err != nil {
			return nil, err
		}
		r := rewrite.Rules{Find: find, Own: nowhere}
		r.Variables(rewrite.Variables(values))
		r.Args(environment.ExpandAll(slices.Concat(c.Command, c.Args), source.Known(values)))
	}
	return slices.DeleteFunc(slices.Clone(p.Services), func(s *Service) bool { return !named[s] }), nil
}

// Source returns where the variables of a replica of w come from, without links
// to Services and without given variables.
func (p *Plan) Source(w *Workload, replica int) environment.Source {
	return environment.Source{
		Workload: w.String(), Pod: w.PodMeta(replica), Spec: w.Template.Spec,
		ConfigMap: func(name string) map[string][]byte { return p.ConfigMap(w.Namespace, name) },
		Secret:    func(name string) map[string][]byte { return p.Secret(w.Namespace, name) },
	}
}

// settleWorkload derives what depends on the rest of the plan.
func (p *Plan) settleWorkload(w *Workload) (err error) {
	if w.refersTo, err = p.references(w); err != nil {
		return err
	}
	w.fingerprint, err = p.fingerprint(w)
	return err
}

// fingerprint computes what Fingerprint returns, once refersTo is known.
func (p *Plan) fingerprint(w *Workload) (string, error) {
	type named struct {
		Namespace, Name string
		Ports           []string
	}
	about := struct {
		*Workload
		Replicas struct{} `json:",omitzero"` // The others run on when there are more or fewer.
		Targets  []int32
		Data     []map[string][]byte
		Services []named
	}{Workload: w, Targets: slices.Compact(slices.Sorted(slices.Values(p.Targets(w)))), Data: p.used(w)}
	for _, s := range w.refersTo {
		about.Services = append(about.Services, named{s.Namespace, s.Name, s.addressed()})
	}
	// Their order in the manifests means nothing.
	slices.SortFunc(about.Services, func(a, b named) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	text, err := json.Marshal(about)
	if err != nil {
		return "", fmt.Errorf("taking the fingerprint of %s: %w", w, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// addressed returns what a reference to s can be about: the numbers of its ports,
// and where it is headless, those of its pods.
func (s *Service) addressed() []string {
	var ports []string
	for _, p := range s.Ports {
		port := strconv.Itoa(int(p.Port))
		if s.headless {
			port += ":" + p.target.String()
		}
		ports = append(ports, port)
	}
	return ports
}

// used returns the data of the ConfigMaps and Secrets that w uses.
func (p *Plan) used(w *Workload) []map[string][]byte {
	var data []map[string][]byte
	configMap := func(name string) { data = append(data, p.ConfigMap(w.Namespace, name)) }
	secret := func(name string) { data = append(data, p.Secret(w.Namespace, name)) }
	for _, c := range w.Containers() {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				configMap(from.ConfigMapRef.Name)
			}
			if from.SecretRef != nil {
				secret(from.SecretRef.Name)
			}
		}
		for _, v := range c.Env {
			if v.ValueFrom != nil && v.ValueFrom.ConfigMapKeyRef != nil {
				configMap(v.ValueFrom.ConfigMapKeyRef.Name)
			}
			if v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil {
				secret(v.ValueFrom.SecretKeyRef.Name)
			}
		}
	}
	for _, v := range w.Template.Spec.Volumes {
		eachSource(v.VolumeSource, configMap, secret)
	}
	return data
}

// eachSource names the ConfigMaps and Secrets that a volume shows.
func eachSource(source corev1.VolumeSource, configMap, secret func(name string)) {
	if source.ConfigMap != nil {
		configMap(source.ConfigMap.Name)
	}
	if source.Secret != nil {
		secret(source.Secret.SecretName)
	}
	if source.Projected == nil {
		return
	}
	for _, p := range source.Projected.Sources {
		if p.ConfigMap != nil {
			configMap(p.ConfigMap.Name)
		}
		if p.Secret != nil {
			secret(p.Secret.Name)
		}
	}
}
