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

	"github.com/koshop/koshop/internal/kit/listen"
)

// fingerprint computes what Fingerprint returns, once p.refersTo is known.
func (p *Plan) fingerprint(w *Workload) (string, error) {
	about := struct {
		*Workload
		Replicas struct{} `json:",omitzero"` // The others run on when there are more or fewer.
		Ports    []listen.Ports
		Given    map[string]string
		Data     []map[string][]byte
		Services []reachedService
	}{Workload: w, Ports: w.listening, Given: p.Source(w, 0).Given, Data: p.used(w)}
	for _, s := range p.refersTo[w] {
		about.Services = append(about.Services, s.asReached())
	}
	// Their order in the manifests means nothing.
	slices.SortFunc(about.Services, func(a, b reachedService) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	text, err := json.Marshal(about)
	if err != nil {
		return "", fmt.Errorf("taking the fingerprint of %s: %w", w, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// reachedService is what those who refer to a Service depend on.
type reachedService struct {
	Namespace, Name string
	Ports           []string
}

func (s *Service) asReached() reachedService {
	r := reachedService{Namespace: s.Namespace, Name: s.Name}
	for _, p := range s.Ports {
		text := strconv.Itoa(int(p.Port))
		if s.headless { // Its name leads to the ports of its pods, too.
			text += " " + p.target.String()
		}
		r.Ports = append(r.Ports, text)
	}
	return r
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
