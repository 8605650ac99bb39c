package class

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// MaxSize is the largest class: more attendees than that are a slip of the pen.
const MaxSize = 200

// Numbered returns the names attendee-01, attendee-02 and so on.
func Numbered(size int) ([]string, error) {
	if size < 1 || size > MaxSize {
		return nil, fmt.Errorf("a class of %d: it has 1 to %d attendees", size, MaxSize)
	}
	digits := max(2, len(fmt.Sprint(size)))
	names := make([]string, size)
	for i := range names {
		names[i] = fmt.Sprintf("attendee-%0*d", digits, i+1)
	}
	return names, nil
}

// byteOrderMark is what Windows' editors begin a file with.
const byteOrderMark = "\ufeff"

// ReadNames reads one name from each line; what follows a # is a comment.
func ReadNames(r io.Reader) ([]string, error) {
	var names []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), byteOrderMark), "#")
		if name := strings.TrimSpace(text); name != "" {
			names = append(names, name)
		}
	}
	return names, lines.Err()
}

// CheckNames returns every reason why these cannot be the attendees of a class.
func CheckNames(names []string) error {
	if len(names) == 0 {
		return errors.New("a class without attendees: name them, or say how many there are")
	}
	if len(names) > MaxSize {
		return fmt.Errorf("a class of %d: it has at most %d attendees", len(names), MaxSize)
	}
	var wrong []error
	seen := map[string]bool{}
	for _, name := range names {
		switch {
		case len(validation.IsDNS1123Label(name)) > 0 || len(validation.IsDNS1123Label(OwnNamespace(name))) > 0:
			wrong = append(wrong, fmt.Errorf("attendee %q: a name is at most %d of a to z, 0 to 9 and -, and neither begins nor ends with -, as in ada",
				name, validation.DNS1123LabelMaxLength-len(OwnNamespace(""))))
		case seen[name]:
			wrong = append(wrong, fmt.Errorf("attendee %q is there twice: tell them apart, as in %s-2", name, name))
		}
		seen[name] = true
	}
	return errors.Join(wrong...)
}

// CheckClassName refuses what cannot be the value of a label.
func CheckClassName(name string) error {
	if name == "" || len(validation.IsValidLabelValue(name)) > 0 {
		return fmt.Errorf("class %q: its name is at most %d letters, digits, - or _, as in monday", name, validation.LabelValueMaxLength)
	}
	return nil
}

// OwnNamespace is the namespace of an attendee who has one to themselves.
func OwnNamespace(attendee string) string { return "api-" + attendee }
