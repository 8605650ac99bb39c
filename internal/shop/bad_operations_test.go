package shop_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/shoptest"
)

// operation is what a service's OpenAPI document says of one: as much as is needed to
// ask for it, and to make mistakes with it.
type operation struct {
	service, method, path string
	private               bool
	parameters            []parameter
	members               []member // of the body
}

type parameter struct {
	Name, In string
	Required bool
	Schema   schema
}

type member struct {
	name     string
	required bool
	schema   schema
}

// schema is the part of JSON Schema that the services use.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Format     string
	Enum       []any
	Examples   []json.RawMessage
	Properties map[string]schema
	Required   []string
	Items      *schema
	MinLength  int
	MaxLength  int
	MaxItems   int
	Minimum    *float64
	Maximum    *float64
}

type document struct {
	Paths map[string]map[string]struct {
		Parameters  []parameter
		Security    []any
		RequestBody *struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

// operations reads what all services offer, in a fixed order.
func (s *shop) operations(t *testing.T) (all []operation) {
	t.Helper()
	for service, base := range s.urls() {
		var doc document
		shoptest.Do(t, "GET", base+"/openapi.json", "", "").Want(t, 200).Into(t, &doc)
		for path, methods := range doc.Paths {
			for method, described := range methods {
				op := operation{service: service, method: strings.ToUpper(method), path: path, private: len(described.Security) > 0, parameters: described.Parameters}
				if described.RequestBody != nil {
					op.members = membersOf(doc, described.RequestBody.Content["application/json"].Schema)
				}
				all = append(all, op)
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

func membersOf(doc document, s schema) (all []member) {
	if name, isRef := strings.CutPrefix(s.Ref, "#/components/schemas/"); isRef {
		s = doc.Components.Schemas[name]
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		all = append(all, member{name, slices.Contains(s.Required, name), s.Properties[name]})
	}
	return all
}

func (o operation) String() string { return o.service + " " + o.method + " " + o.path }

// valid is a JSON value that the schema accepts.
func (s schema) valid() string {
	switch {
	case len(s.Examples) > 0:
		return string(s.Examples[0])
	case len(s.Enum) > 0:
		return fmt.Sprintf("%q", s.Enum[0])
	case s.Type == "number" || s.Type == "integer":
		return "1"
	}
	return `"correct horse"`
}

// body returns a body with valid members, except for those that are replaced. An empty
// replacement leaves the member out.
func (o operation) body(replaced map[string]string) string {
	var members []string
	for _, m := range o.members {
		value, ok := replaced[m.name]
		if !ok {
			value = m.schema.valid()
		}
		if value != "" {
			members = append(members, fmt.Sprintf("%q:%s", m.name, value))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

// target returns the operation's path and query with valid parameters, except for those
// that are replaced, escaped. An empty replacement leaves a parameter of the query out.
func (o operation) target(replaced map[string]string) string {
	target, query := o.path, []string{}
	for _, p := range o.parameters {
		value, ok := replaced[p.Name]
		if !ok {
			value = url.PathEscape(strings.Trim(p.Schema.valid(), `"`))
		}
		switch {
		case p.In == "path":
			target = strings.ReplaceAll(target, "{"+p.Name+"}", value)
		case p.In == "query" && (p.Required && value != "" || ok && value != ""):
			query = append(query, p.Name+"="+value)
		}
	}
	if len(query) > 0 {
		target += "?" + strings.Join(query, "&")
	}
	return target
}

// message writes a request. Its headers are written as they are; Host, Content-Length and
// a type of the body are added unless they are among them.
func message(method, target, body string, headers ...string) string {
	has := func(name string) bool {
		return slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(strings.ToLower(h), name) })
	}
	lines := []string{method + " " + target + " HTTP/1.1"}
	if !has("host") {
		lines = append(lines, "Host: shop")
	}
	if body != "" && !has("content-length") && !has("transfer-encoding") {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if body != "" && !has("content-type") {
		lines = append(lines, "Content-Type: application/json")
	}
	return strings.Join(append(lines, headers...), "\r\n") + "\r\n\r\n" + body
}

// send returns a bad request for the operation with the body, with the token if it
// needs one.
func (o operation) send(name, token, body string, want []int, headers ...string) bad {
	if o.private {
		headers = append(headers, "Authorization: Bearer "+token)
	}
	return bad{service: o.service, name: fmt.Sprintf("%s %s: %s", o.method, o.path, name), request: message(o.method, o.target(nil), body, headers...), want: want}
}
