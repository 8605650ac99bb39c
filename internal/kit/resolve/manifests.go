// Package resolve is the stage that knows ko:// references: it finds them in
// rendered manifests and, once their images are published, replaces them.
package resolve

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/google/ko/pkg/resolve"
	"go.yaml.in/yaml/v4"
	"k8s.io/apimachinery/pkg/labels"
)

// Manifests is a stream of YAML documents, kept as nodes so that whatever is
// not a reference is written back as it was read.
type Manifests struct {
	docs []*yaml.Node
}

// Parse reads a stream of YAML documents.
func Parse(stream []byte) (*Manifests, error) {
	m := &Manifests{}
	decoder := yaml.NewDecoder(bytes.NewReader(stream))
	for {
		doc := &yaml.Node{}
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parsing manifest %d: %w", len(m.docs)+1, err)
		}
		m.docs = append(m.docs, doc)
	}
}

// Len returns the number of documents.
func (m *Manifests) Len() int { return len(m.docs) }

// Select keeps the objects whose labels match, as `ko apply --selector` does.
func (m *Manifests) Select(selector labels.Selector) error {
	var kept []*yaml.Node
	for _, doc := range m.docs {
		match, err := resolve.MatchesSelector(doc, selector)
		if err != nil {
			return fmt.Errorf("matching %s with selector %q: %w", objectName(doc), selector, err)
		}
		if match {
			kept = append(kept, doc)
		}
	}
	m.docs = kept
	return nil
}

// YAML writes the documents in the form upstream's `ko resolve` prints them:
// two spaces of indent, documents separated by "---".
func (m *Manifests) YAML() ([]byte, error) {
	if len(m.docs) == 0 {
		return nil, nil // The encoder fails when it is closed without a document.
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	for _, doc := range m.docs {
		if err := encoder.Encode(doc); err != nil {
			return nil, fmt.Errorf("writing %s: %w", objectName(doc), err)
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("writing manifests: %w", err)
	}
	return out.Bytes(), nil
}
