package plan_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/koshop/koshop/internal/kit/apply/plan"
)

func TestCompare(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		want          []string
	}{
		"the same":             {`{a: 1, b: [p, {c: true}], d: {}}`, `{d: {}, b: [p, {c: true}], a: 1}`, nil},
		"values":               {`{a: 1, b: {c: p, d: true}}`, `{a: 2, b: {c: q, d: true}}`, []string{"a: 1 → 2", `b.c: "p" → "q"`}},
		"zero is a value":      {`{a: 0, b: "", c: false}`, `{}`, []string{"a: 0 → null", `b: "" → null`, "c: false → null"}},
		"another type":         {`{a: "1", b: {c: 1}, d: {}}`, `{a: 1, b: [1], d: []}`, []string{`a: "1" → 1`, `b: {"c":1} → [1]`, "d: {} → []"}},
		"null is missing":      {`{a: null}`, `{b: null}`, nil},
		"a tree more":          {`{}`, `{a: {b: 1, c: [2, {d: 3}]}, e: {}, f: []}`, []string{"a.b: null → 1", "a.c[0]: null → 2", "a.c[1].d: null → 3", "e: null → {}", "f: null → []"}},
		"a tree less":          {`{a: {b: 1}, e: {}}`, `{}`, []string{"a.b: 1 → null", "e: {} → null"}},
		"emptied":              {`{a: {b: 1}, c: [1]}`, `{a: {}, c: []}`, []string{"a.b: 1 → null", "c[0]: 1 → null"}},
		"keys with dots":       {`{data: {app.conf: a, "[": a}, metadata: {labels: {example.com/team: a}}}`, `{}`, []string{`data[[]: "a" → null`, `data[app.conf]: "a" → null`, `metadata.labels[example.com/team]: "a" → null`}},
		"items by place":       {`{a: [p, q]}`, `{a: [q]}`, []string{`a[0]: "p" → "q"`, `a[1]: "q" → null`}},
		"items by name":        {`{a: [{name: p, b: 1}, {name: q}]}`, `{a: [{name: r}, {name: p, b: 2}]}`, []string{`a[r].name: null → "r"`, "a[p].b: 1 → 2", `a[q].name: "q" → null`}},
		"another order":        {`{a: [{name: p}, {name: q}, {name: r}]}`, `{a: [{name: q}, {name: p}, {name: s}]}`, []string{`a: ["p","q"] → ["q","p"]`, `a[s].name: null → "s"`, `a[r].name: "r" → null`}},
		"two of one name":      {`{a: [{name: p}, {name: p, b: 1}]}`, `{a: [{name: p}, {name: p, b: 2}]}`, []string{"a[1].b: 1 → 2"}},
		"one without a name":   {`{a: [{name: p, b: 1}]}`, `{a: [{name: p, b: 2}, {b: 1}]}`, []string{"a[0].b: 1 → 2", "a[1].b: null → 1"}},
		"names that are other": {`{a: [{name: 1, b: 1}]}`, `{a: [{name: 1, b: 2}]}`, []string{"a[0].b: 1 → 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			plan.Compare(parse(t, test.before), parse(t, test.after), func(path string, before, after any) {
				got = append(got, fmt.Sprintf("%s: %s → %s", path, asJSON(t, before), asJSON(t, after)))
			})
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func parse(t *testing.T, text string) (value any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
