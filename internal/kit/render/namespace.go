package render

import (
	"errors"
	"fmt"
	"io"

	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// mover shows kustomize the target with another namespace, as it would be after
// `kustomize edit set namespace`, and leaves the files as they are. The target's
// own kustomization is the one that kustomize reads first, wherever that is: a
// remote one is in a directory that kustomize makes.
type mover struct {
	filesys.FileSystem
	namespace string
	done      bool
	err       error // Kustomize would take a file that cannot be read for missing.
}

func (m *mover) ReadFile(path string) ([]byte, error) {
	content, err := m.FileSystem.ReadFile(path)
	if err != nil || m.done || !isKustomization(path) {
		return content, err
	}
	m.done = true
	content, m.err = setNamespace(content, m.namespace)
	return content, nil
}

// setNamespace changes one field of a kustomization. One that is empty stays
// so: kustomize says it best.
func setNamespace(kustomization []byte, namespace string) ([]byte, error) {
	document, err := yaml.Parse(string(kustomization))
	if errors.Is(err, io.EOF) {
		return kustomization, nil
	}
	for err == nil && document.Field("namespace") != nil { // Of several, kustomize takes the last.
		err = document.PipeE(yaml.Clear("namespace"))
	}
	if err == nil {
		err = document.PipeE(yaml.SetField("namespace", yaml.NewStringRNode(namespace)))
	}
	if err != nil {
		return kustomization, fmt.Errorf("setting its namespace to %s: %w", namespace, err)
	}
	text, err := document.String()
	return []byte(text), err
}
