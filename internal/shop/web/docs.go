package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.gohtml
var docsSource string

var docsTemplate = template.Must(template.New("docs").Parse(docsSource))

// page, operation and field are what docs.gohtml shows.
type page struct {
	Info       *huma.Info
	Operations []operation
}

type operation struct {
	*huma.Operation
	Token   bool
	Fields  []field
	Answers []answer
}

type field struct{ Name, In, Form, About string }

type answer struct{ Status, About, Example string }

// docsPage serves a readable form of the OpenAPI document. It is rendered once:
// operations do not change after the handler is built.
func docsPage(doc *huma.OpenAPI) http.HandlerFunc {
	var html bytes.Buffer
	if err := docsTemplate.Execute(&html, page{doc.Info, operationsOf(doc)}); err != nil {
		panic("web: docs.gohtml does not fit its data: " + err.Error()) // a fault of this package, found by any test
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		if _, err := w.Write(html.Bytes()); err != nil {
			note(r.Context(), err)
		}
	}
}

func operationsOf(doc *huma.OpenAPI) []operation {
	var all []operation
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, operation{op, len(op.Security) > 0, fieldsOf(doc, op), answersOf(doc, op)})
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return all
}

func fieldsOf(doc *huma.OpenAPI, op *huma.Operation) []field {
	var fields []field
	for _, p := range op.Parameters {
		fields = append(fields, field{p.Name, p.In, form(p.Schema, p.Required), p.Description})
	}
	if op.RequestBody == nil {
		return fields
	}
	schema := resolve(doc, op.RequestBody.Content["application/json"].Schema)
	for _, name := range sortedNames(schema) {
		s := schema.Properties[name]
		fields = append(fields, field{name, "body", form(s, slices.Contains(schema.Required, name)), s.Description})
	}
	return fields
}

func answersOf(doc *huma.OpenAPI, op *huma.Operation) []answer {
	var answers []answer
	for status, r := range op.Responses {
		a := answer{Status: status, About: r.Description}
		if body := r.Content["application/json"]; body != nil {
			a.Example = example(doc, body.Schema)
		}
		answers = append(answers, a)
	}
	slices.SortFunc(answers, func(a, b answer) int { return strings.Compare(a.Status, b.Status) })
	return answers
}

// form says what a value looks like, as "string, email, optional".
func form(s *huma.Schema, required bool) string {
	parts := []string{s.Type}
	if s.Type == huma.TypeArray {
		parts[0] = "list of " + s.Items.Type
	}
	if s.Format != "" {
		parts = append(parts, s.Format)
	}
	for _, v := range s.Enum {
		parts = append(parts, toJSON(v))
	}
	if !required {
		parts = append(parts, "optional")
	}
	return strings.Join(parts, ", ")
}

// example returns a JSON value of the schema's shape.
func example(doc *huma.OpenAPI, s *huma.Schema) string { return toJSON(sample(doc, s)) }

func sample(doc *huma.OpenAPI, s *huma.Schema) any {
	s = resolve(doc, s)
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Type == huma.TypeArray:
		return []any{sample(doc, s.Items)}
	case s.Type == huma.TypeObject:
		members := map[string]any{}
		for name, property := range s.Properties {
			members[name] = sample(doc, property)
		}
		return members
	case s.Type == huma.TypeInteger || s.Type == huma.TypeNumber:
		return 0
	default:
		return s.Type
	}
}

func resolve(doc *huma.OpenAPI, s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func sortedNames(s *huma.Schema) []string {
	var names []string
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func toJSON(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error() // only the documentation shows it
	}
	return string(b)
}
