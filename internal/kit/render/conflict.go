package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// idConflict begins what kustomize says when a namespace gives several objects
// the same name: a list of them in JSON follows, without commas.
const idConflict = "namespace transformation produces ID conflict: ["

// conflict says which objects would become one, and what to do. It returns "" if
// that is not what went wrong.
func conflict(err error, namespace string) string {
	_, list, found := strings.Cut(err.Error(), idConflict)
	if !found {
		return ""
	}
	var names []string
	decoder := json.NewDecoder(strings.NewReader(list))
	for {
		var object moved
		err := decoder.Decode(&object)
		if err == nil {
			names = append(names, object.before())
			namespace = cmp.Or(namespace, object.namespace())
			continue
		}
		if rest, _ := io.ReadAll(decoder.Buffered()); len(names) == 0 || !strings.HasPrefix(strings.TrimSpace(string(rest)), "]") {
			return "" // Not as it was when this was written: kustomize's own text is better than half of it.
		}
		return fmt.Sprintf("in the one namespace %s there would be %s with the same name: one kustomization moves to one namespace; "+
			"give each namespace a kustomization of its own, and move these one by one", namespace, strings.Join(names, " and "))
	}
}

// moved is an object with another namespace, as far as it matters here.
type moved struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		Annotations     map[string]string
	}
}

// before names the object as it was: "Namespace one" or "ConfigMap one/settings".
// Kustomize keeps a list of former names, the first one first.
func (m moved) before() string {
	first := func(key string) string {
		name, _, _ := strings.Cut(m.Metadata.Annotations["internal.config.kubernetes.io/"+key], ",")
		return name
	}
	name, namespace := cmp.Or(first("previousNames"), m.Metadata.Name), first("previousNamespaces")
	if m.Metadata.Namespace == "" || namespace == "" {
		return m.Kind + " " + name
	}
	return m.Kind + " " + namespace + "/" + name
}

// namespace returns the one that the object is in, or is.
func (m moved) namespace() string { return cmp.Or(m.Metadata.Namespace, m.Metadata.Name) }
