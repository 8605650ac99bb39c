package plan

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// maxDifferences bounds how many are shown of one object.
const maxDifferences = 5

// maxValue is how many characters of a value are shown.
const maxValue = 100

// differences says which values in the manifest of an object are others in the
// cluster, in the field at a path such as spec.template and below it.
func differences(wanted, live map[string]any, field string) []string {
	var found []string
	compare("", wanted, live, func(path string, wanted, live any) {
		switch {
		case !within(path, field):
		case mayBeSecret.MatchString(path):
			found = append(found, path+": another value is there, and neither is shown")
		default:
			found = append(found, fmt.Sprintf("%s: %s is there, %s is wanted", path, show(live), show(wanted)))
		}
	})
	if more := len(found) - maxDifferences; more > 0 {
		found = append(found[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return found
}

// mayBeSecret are the fields in which people keep secrets, though they should not:
// what is printed here gets into the logs of a pipeline.
var mayBeSecret = regexp.MustCompile(`\benv\[[^]]*\]\.value$`)

// within says whether a path is that of a field or below it.
func within(path, field string) bool {
	return path == field || strings.HasPrefix(path, field+".") || strings.HasPrefix(path, field+"[")
}

// compare tells of every value that is wanted and differs.
func compare(path string, wanted, live any, tell func(path string, wanted, live any)) {
	switch wanted := wanted.(type) {
	case map[string]any:
		there, _ := live.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			compare(strings.TrimPrefix(path+"."+name, "."), wanted[name], there[name], tell)
		}
	case []any:
		there, _ := live.([]any)
		for i, item := range wanted {
			key, other := counterpart(item, i, there)
			compare(path+"["+key+"]", item, other, tell)
		}
	default:
		if !same(wanted, live) {
			tell(path, wanted, live)
		}
	}
}

// counterpart finds the item of a list that one in another list is compared with: of
// the same name, as containers have one, else at the same place.
func counterpart(item any, i int, list []any) (key string, other any) {
	if named, ok := item.(map[string]any); ok && named["name"] != nil {
		name := fmt.Sprint(named["name"])
		for _, candidate := range list {
			if fields, ok := candidate.(map[string]any); ok && fields["name"] == named["name"] {
				return name, candidate
			}
		}
		return name, nil
	}
	if i < len(list) {
		other = list[i]
	}
	return fmt.Sprint(i), other
}

// same says whether two values mean the same: a quantity may be written as 1 or 1000m.
func same(wanted, live any) bool {
	if reflect.DeepEqual(wanted, live) || fmt.Sprint(wanted) == fmt.Sprint(live) {
		return true
	}
	a, errA := resource.ParseQuantity(fmt.Sprint(wanted))
	b, errB := resource.ParseQuantity(fmt.Sprint(live))
	return errA == nil && errB == nil && a.Equal(b)
}

func show(value any) string {
	if value == nil {
		return "nothing"
	}
	text := fmt.Sprint(value)
	if len(text) > maxValue {
		return text[:maxValue] + "…"
	}
	return text
}
