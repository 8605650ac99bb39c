package class

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

//go:embed manifests
var files embed.FS

var manifests = template.Must(template.ParseFS(files, "manifests/*.yaml"))

// objects fills in one of the manifests. Every name in it was checked before.
func (s seat) objects(manifest string) ([]*unstructured.Unstructured, error) {
	quota := map[string]string{}
	for name, quantity := range Quota(s.class.Overlays) {
		quota[string(name)] = quantity.String()
	}
	var text bytes.Buffer
	err := manifests.ExecuteTemplate(&text, manifest, map[string]any{
		"ClassLabel": Label, "Class": s.class.Name,
		"AttendeeLabel": attendeeLabel, "Attendee": s.Attendee,
		"Namespace": s.Namespace, "Account": s.Account, "Manager": s.class.Manager,
		"Labels": namespaceLabels(s.class.Overlays), "Quota": quota, "Agent": agent,
	})
	if err != nil {
		return nil, err
	}
	objects, err := decode(&text)
	if err != nil {
		return nil, fmt.Errorf("reading %s for %s: %w", manifest, s.Attendee, err)
	}
	return objects, nil
}

// decode reads all the documents of a YAML stream.
func decode(text io.Reader) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(text, 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(o); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
}
