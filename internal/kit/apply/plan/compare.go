package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Compare tells of every value that differs between two states of an object, such as
// its fields, in a fixed order. A value that is missing is nil. Of what is in one state
// only, every value is told by itself.
//
// A path is written as the API server writes it:
// spec.template.spec.containers[web].image, metadata.annotations[example.com/owner].
// Items of a list are compared by their names if all have one and no two the same, as
// containers do, else by their places from 0. If names that are in both states have
// another order there, the path of the list is told, with these names.
func Compare(before, after any, tell func(path string, before, after any)) {
	compare("", before, after, tell)
}

func compare(path string, before, after any, tell func(path string, before, after any)) {
	switch {
	case fits[map[string]any](before, after):
		was, _ := before.(map[string]any)
		is, _ := after.(map[string]any)
		compareFields(path, was, is, tell)
	case fits[[]any](before, after):
		was, _ := before.([]any)
		is, _ := after.([]any)
		compareItems(path, was, is, tell)
	case !reflect.DeepEqual(before, after):
		tell(path, before, after)
	}
}

// fits says whether two values are compared by what is in them: both are of the type
// T, or one is and holds something, and the other is missing.
func fits[T map[string]any | []any](before, after any) bool {
	was, wasT := before.(T)
	is, isT := after.(T)
	switch {
	case wasT && isT:
		return true
	case wasT:
		return after == nil && len(was) > 0
	case isT:
		return before == nil && len(is) > 0
	}
	return false
}

func compareFields(path string, before, after map[string]any, tell func(path string, before, after any)) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		compare(fieldPath(path, key), before[key], after[key], tell)
	}
}

// fieldPath is the path of a field, in the notation of the API server:
// https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#Path
func fieldPath(path, key string) string {
	switch {
	case key == "" || strings.ContainsAny(key, ".[]"):
		return path + "[" + key + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func compareItems(path string, before, after []any, tell func(path string, before, after any)) {
	was, named := byName(before)
	is, alsoNamed := byName(after)
	if !named || !alsoNamed {
		for i := range max(len(before), len(after)) {
			compare(fmt.Sprintf("%s[%d]", path, i), at(before, i), at(after, i), tell)
		}
		return
	}
	if old, now := common(before, is), common(after, was); !slices.Equal(old, now) {
		tell(path, old, now)
	}
	for _, item := range after {
		compare(path+"["+nameOf(item)+"]", was[nameOf(item)], item, tell)
	}
	for _, item := range before {
		if is[nameOf(item)] == nil {
			compare(path+"["+nameOf(item)+"]", item, nil, tell)
		}
	}
}

// byName returns the items of a list by their names. It fails if one has none, or the
// one of another.
func byName(list []any) (items map[string]any, ok bool) {
	items = map[string]any{}
	for _, item := range list {
		name := nameOf(item)
		if name == "" || items[name] != nil {
			return nil, false
		}
		items[name] = item
	}
	return items, true
}

// nameOf returns the name of an item of a list, or "" if it has none.
func nameOf(item any) string {
	fields, _ := item.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}

// common returns the names in a list that are in the other one, too.
func common(list []any, other map[string]any) []string {
	var names []string
	for _, item := range list {
		if name := nameOf(item); other[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// at returns an item of a list, or nil where it is shorter.
func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
