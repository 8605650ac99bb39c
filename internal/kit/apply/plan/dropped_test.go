package plan

import (
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// What is ours goes, unless it, or a part of it, is kept.
func TestDrop(t *testing.T) {
	for name, test := range map[string]struct{ from, ours, kept, want string }{
		"nothing":                     {`{a: 1}`, `{}`, `{}`, `{a: 1}`},
		"a field":                     {`{a: 1, b: 2}`, `{"f:a":{}}`, `{}`, `{b: 2}`},
		"one that is kept":            {`{a: 1, b: 2}`, `{"f:a":{},"f:b":{}}`, `{"f:b":{}}`, `{b: 2}`},
		"a field below":               {`{a: {b: 1, c: 2}}`, `{"f:a":{"f:b":{}}}`, `{}`, `{a: {c: 2}}`},
		"all of a field":              {`{a: {b: 1, c: 2}}`, `{"f:a":{".":{},"f:b":{}}}`, `{}`, `{}`},
		"one of which a part is kept": {`{a: {b: 1, c: 2}}`, `{"f:a":{".":{},"f:b":{}}}`, `{"f:a":{"f:c":{}}}`, `{a: {c: 2}}`},
		"an item by its name":         {`{a: [{name: p, b: 1}, {name: q}]}`, `{"f:a":{"k:{\"name\":\"p\"}":{".":{},"f:name":{}}}}`, `{}`, `{a: [{name: q}]}`},
		"a field of an item":          {`{a: [{name: p, b: 1}]}`, `{"f:a":{"k:{\"name\":\"p\"}":{"f:b":{}}}}`, `{}`, `{a: [{name: p}]}`},
		"an item by two fields":       {`{a: [{port: 1, protocol: TCP}, {port: 1, protocol: UDP}]}`, `{"f:a":{"k:{\"port\":1,\"protocol\":\"UDP\"}":{".":{}}}}`, `{}`, `{a: [{port: 1, protocol: TCP}]}`},
		"an item by its value":        {`{a: [p, q]}`, `{"f:a":{"v:\"p\"":{}}}`, `{}`, `{a: [q]}`},
		"an item by its place":        {`{a: [p, q]}`, `{"f:a":{"i:1":{}}}`, `{}`, `{a: [p]}`},
		"an item that is kept":        {`{a: [{name: p, b: 1}]}`, `{"f:a":{"k:{\"name\":\"p\"}":{".":{},"f:b":{}}}}`, `{"f:a":{"k:{\"name\":\"p\"}":{".":{}}}}`, `{a: [{name: p}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := fields(t, test.from), fields(t, test.want)
			drop(got, set(t, test.ours), set(t, test.kept))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("left is %v, want %v", got, want)
			}
		})
	}
}

// set reads fields as an object's record of owners has them.
func set(t *testing.T, text string) *fieldpath.Set {
	t.Helper()
	set := &fieldpath.Set{}
	if err := set.FromJSON(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return set
}
