package plan

import (
	"fmt"
	"reflect"
	"regexp"
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
	isSecret := wanted["kind"] == "Secret" && wanted["apiVersion"] == "v1"
	Compare(live, wanted, func(path string, live, wanted any) {
		switch {
		case isNothing(wanted), same(wanted, live), !within(path, field):
		case mayBeSecret.MatchString(path), isSecret && inSecret.MatchString(path):
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

// inSecret are the fields of a Secret that are secret.
var inSecret = regexp.MustCompile(`^(data|stringData)\b`)

// within says whether a path is that of a field or below it.
func within(path, field string) bool {
	return path == field || strings.HasPrefix(path, field+".") || strings.HasPrefix(path, field+"[")
}

// isNothing says whether a value that is wanted asks for nothing.
func isNothing(wanted any) bool {
	switch wanted := wanted.(type) {
	case nil:
		return true
	case map[string]any:
		return len(wanted) == 0
	case []any:
		return len(wanted) == 0
	}
	return false
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
