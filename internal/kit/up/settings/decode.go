package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decoder reads one file. It goes through the nodes itself: an error is to name a
// field as people know it.
type decoder struct {
	path     string
	settings *Settings
}

// field reads the value of a field.
type field func(d *decoder, value *yaml.Node, name string) error

// fields are those of the file.
var fields = map[string]field{
	"port":      (*decoder).port,
	"watch":     (*decoder).watch,
	"services":  (*decoder).services,
	"workloads": (*decoder).workloads,
}

func (d *decoder) decode(content []byte) error {
	documents := yaml.NewDecoder(bytes.NewReader(content))
	var document, more yaml.Node
	err := documents.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil // Nothing, or comments only.
	}
	if err != nil {
		return fmt.Errorf("%s%s", d.path, tidy(err))
	}
	if !errors.Is(documents.Decode(&more), io.EOF) {
		return fmt.Errorf("reading %s: expected one YAML document", d.path)
	}
	if isNull(document.Content[0]) {
		return nil
	}
	return d.each(document.Content[0], "", func(value *yaml.Node, name string) error {
		return d.known(fields, value, name, name)
	})
}

// parserError is how the parser says what is wrong where.
var parserError = regexp.MustCompile(`^: go-yaml .* at L(\d+)\.C\d+: (.*)$`)

// tidy returns what follows the name of a file that is no YAML.
func tidy(err error) string {
	return parserError.ReplaceAllString(": "+err.Error(), ", line $1: it is not YAML: $2")
}

// errorAt returns an error about the field at a node.
func (d *decoder) errorAt(node *yaml.Node, name, format string, args ...any) error {
	return fmt.Errorf("%s: %w", d.where(node, name), fmt.Errorf(format, args...))
}

func (d *decoder) where(node *yaml.Node, name string) string {
	if name == "" {
		return fmt.Sprintf("%s, line %d", d.path, node.Line)
	}
	return fmt.Sprintf("%s, line %d: %s", d.path, node.Line, name)
}

// known reads a field by its name, and refuses names that there are not.
func (d *decoder) known(fields map[string]field, value *yaml.Node, key, name string) error {
	read := fields[key]
	if read == nil {
		return d.errorAt(value, name, "there is no such field; there are %s", strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
	return read(d, value, name)
}

// each calls use for the entries of a mapping, with their full names.
func (d *decoder) each(node *yaml.Node, name string, use func(value *yaml.Node, name string) error) error {
	node = resolved(node)
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return d.errorAt(node, name, "expected fields and values")
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], resolved(node.Content[i+1])
		full := strings.TrimPrefix(name+"."+key.Value, ".")
		if seen[key.Value] {
			return d.errorAt(key, full, "it is there twice")
		}
		seen[key.Value] = true
		if err := use(value, full); err != nil {
			return err
		}
	}
	return nil
}

// resolved follows an alias.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// text reads a value as it is written.
func (d *decoder) text(node *yaml.Node, name string) (string, error) {
	if node.Kind != yaml.ScalarNode {
		return "", d.errorAt(node, name, "expected a text or a number")
	}
	if isNull(node) {
		return "", nil
	}
	return node.Value, nil
}

func (d *decoder) port(node *yaml.Node, name string) error {
	port, err := strconv.Atoi(node.Value)
	if err != nil || port < 1 || port > 65535 || node.Kind != yaml.ScalarNode {
		return d.errorAt(node, name, "expected a port from 1 to 65535")
	}
	d.settings.Port = port
	return nil
}

func (d *decoder) watch(node *yaml.Node, name string) error {
	if err := d.settings.Watch.Set(node.Value); err != nil {
		return d.errorAt(node, name, "%w", err)
	}
	return nil
}

func (d *decoder) services(node *yaml.Node, name string) error {
	d.settings.Services = map[string]string{}
	return d.each(node, name, func(value *yaml.Node, full string) error {
		address, err := d.text(value, full)
		if err != nil {
			return err
		}
		if err := CheckAddress(address); err != nil {
			return d.errorAt(value, full, "%w", err)
		}
		d.settings.Services[strings.TrimPrefix(full, name+".")] = address
		return nil
	})
}

func (d *decoder) workloads(node *yaml.Node, name string) error {
	d.settings.Workloads = map[string]Workload{}
	return d.each(node, name, func(value *yaml.Node, full string) error {
		w := Workload{Env: map[string]string{}, Where: d.where(value, full)}
		var fromFile map[string]string
		own := map[string]field{
			"env": func(d *decoder, value *yaml.Node, name string) error { return d.env(value, name, w.Env) },
			"envFile": func(d *decoder, value *yaml.Node, name string) (err error) {
				fromFile, err = d.envFile(value, name)
				return err
			},
		}
		err := d.each(value, full, func(value *yaml.Node, name string) error {
			return d.known(own, value, strings.TrimPrefix(name, full+"."), name)
		})
		for variable, text := range fromFile {
			if _, stated := w.Env[variable]; !stated {
				w.Env[variable] = text
			}
		}
		d.settings.Workloads[strings.TrimPrefix(full, name+".")] = w
		return err
	})
}

func (d *decoder) env(node *yaml.Node, name string, into map[string]string) error {
	return d.each(node, name, func(value *yaml.Node, full string) error {
		variable := strings.TrimPrefix(full, name+".")
		if variable == "PORT" {
			return d.errorAt(value, full, "ko up chooses the port that the program listens on: leave PORT out")
		}
		text, err := d.text(value, full)
		into[variable] = text
		return err
	})
}

// envFile reads a file whose path is relative to the settings.
func (d *decoder) envFile(node *yaml.Node, name string) (map[string]string, error) {
	path, err := d.text(node, name)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, d.errorAt(node, name, "expected the path of a file")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(d.path), path)
	}
	if absolute, err := filepath.Abs(path); err == nil {
		d.settings.Files = append(d.settings.Files, absolute)
	}
	env, err := ReadEnv(path)
	if err != nil {
		return nil, d.errorAt(node, name, "%w", err)
	}
	return env, nil
}
