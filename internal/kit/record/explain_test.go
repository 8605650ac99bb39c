package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/record"
)

func TestExplain(t *testing.T) {
	former := record.Inputs{
		{Kind: record.Toolchain, Name: "Go", Value: "go1.26.0"}, {Kind: record.Setting, Name: "flags", Value: "-trimpath"},
		{Kind: record.Base, Name: "base image", Value: "sha256:aa"}, {Kind: record.Module, Name: "go.mod", Value: "1"},
		{Kind: record.File, Name: "a.go", Value: "1"}, {Kind: record.File, Name: "b.go", Value: "1"},
		{Kind: record.Data, Name: "kodata/a", Value: "1"}, {Kind: record.Package, Name: "fmt", Value: "1"},
	}
	for want, changes := range map[string]map[string]string{
		"":                         {},
		"a.go changed":             {"a.go": "2"},
		"a.go changed, and 1 more": {"a.go": "2", "b.go": "2"},
		"a.go changed, and 2 more": {"a.go": "2", "b.go": "2", "fmt": "2"},
		"a.go is gone":             {"a.go": "absent"},
		"package fmt changed":      {"fmt": "2"},
		"Go changed from go1.26.0 to go1.27.0, and 1 more": {"Go": "go1.27.0", "fmt": "2"},
		"flags changed from -trimpath to \"-trimpath -v\"": {"flags": "-trimpath -v"},
		"flags changed": {"flags": strings.Repeat("-v ", 40)},
		"base image changed from sha256:aa to sha256:bb": {"base image": "sha256:bb"},
		"go.mod changed, and 1 more":                     {"go.mod": "2", "kodata/a": "2"},
	} {
		var now record.Inputs
		for _, input := range former {
			if value, found := changes[input.Name]; found {
				input.Value = value
			}
			if input.Value != "absent" {
				now = append(now, input)
			}
		}
		if got := now.Explain(former); got != want {
			t.Errorf("%v: got %q, want %q", changes, got, want)
		}
	}
	if got := former.Explain(former[:4]); got != "a.go is new, and 3 more" {
		t.Errorf("new ones: %q", got)
	}
	former[1].Value = "-ldflags=-X main.password=old"
	now := slices.Clone(former)
	now[1].Value = "-ldflags=-X main.password=secret"
	if got := now.Explain(former); got != "flags changed" {
		t.Errorf("what -X sets: %q", got)
	}
}
