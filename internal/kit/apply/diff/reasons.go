package diff

import (
	"path"
	"strings"

	"github.com/koshop/koshop/internal/kube"
)

// Reasons says why images were built, such as "internal/shop/payments/cashier.go
// changed", by the references to them, exactly as the applied objects have them.
type Reasons map[string]string

// Reason says why an image was built.
type Reason struct {
	Image  string `json:"image"`  // the reference to it, with the digest
	Reason string `json:"reason"` // as the caller gave it
}

// of returns the reasons for the images that some fields would have, each once, in the
// order of the fields.
func (r Reasons) of(fields []Field) []Reason {
	found := []Reason{}
	seen := map[string]bool{}
	for _, field := range fields {
		image, _ := field.After.(string)
		reason, known := r[image]
		if known && !seen[image] {
			found = append(found, Reason{Image: image, Reason: reason})
			seen[image] = true
		}
	}
	return found
}

// line returns the reason as one line: # payments-svc: cashier.go changed.
func (r Reason) line() string {
	repository, _, _ := strings.Cut(r.Image, "@")
	name, _, _ := strings.Cut(path.Base(repository), ":") // There may be a tag, too.
	return "# " + name + ": " + strings.Join(strings.Fields(kube.Printable(r.Reason)), " ")
}
