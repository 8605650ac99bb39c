package plan

import "maps"

// defaults are the fields that the API server adds to values of which it keeps one owner
// for the whole, by the group of the object and the name of the field. They are in
// pkg/apis/GROUP/VERSION/defaults.go of https://github.com/kubernetes/kubernetes. A
// value with a default that is missing here is not recognized by isAsApplied.
var defaults = map[string]map[string]map[string]any{
	"":      referenceDefaults,
	"batch": referenceDefaults,
	"apps": {
		"fieldRef":         referenceDefaults["fieldRef"],
		"resourceFieldRef": referenceDefaults["resourceFieldRef"],
		"volumeClaimTemplates": {
			"apiVersion": "v1", "kind": "PersistentVolumeClaim",
			"spec":   map[string]any{"volumeMode": "Filesystem"},
			"status": map[string]any{"phase": "Pending"},
		},
	},
	"networking.k8s.io": {"ports": {"protocol": "TCP"}},
}

var referenceDefaults = map[string]map[string]any{
	"fieldRef":         {"apiVersion": "v1"},
	"resourceFieldRef": {"divisor": "0"},
}

// withDefaults returns the value of a field, which may have a default itself or below, as
// the API server has it.
func withDefaults(value any, name string, defaults map[string]map[string]any) any {
	switch value := value.(type) {
	case map[string]any:
		all := maps.Clone(value)
		if added := defaults[name]; added != nil {
			all = overlaid(added, value)
		}
		for below, field := range all {
			all[below] = withDefaults(field, below, defaults)
		}
		return all
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = withDefaults(item, name, defaults)
		}
		return all
	}
	return value
}
