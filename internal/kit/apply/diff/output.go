package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The colours of lines, as those of `diff --color`.
const (
	bold  = "\x1b[1m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
	plain = "\x1b[0m"
)

// Text writes the diffs of all objects that would change, each after a line for each
// image that was built for it, with the reason why, and one if the object would be made
// anew. Without colours, `patch` can read it. The caller says whether there are colours:
// on a terminal only, and not if NO_COLOR is set (https://no-color.org). It fails if w
// does.
func (r *Result) Text(w io.Writer, colour bool) error {
	for _, change := range r.Changes {
		var out strings.Builder
		if change.Outcome == Replaced {
			fmt.Fprintf(&out, "# %s would be deleted and made anew\n", change.Object)
		}
		for _, reason := range change.Reasons {
			out.WriteString(reason.line() + "\n")
		}
		if colour {
			paint(&out, change.Diff)
		} else {
			out.WriteString(change.Diff)
		}
		if _, err := io.WriteString(w, out.String()); err != nil {
			return err
		}
	}
	return nil
}

// headerLines is how many lines of a diff name the object.
const headerLines = 3

// paint writes a diff with colours.
func paint(out *strings.Builder, diff string) {
	number := 0
	for line := range strings.Lines(diff) {
		number++
		colour := bold
		if number > headerLines {
			colour = colourOf(line)
		}
		if colour == "" {
			out.WriteString(line)
			continue
		}
		out.WriteString(colour + strings.TrimSuffix(line, "\n") + plain + "\n")
	}
}

// colourOf returns the colour of a line below the headers, or "" if it is context.
func colourOf(line string) string {
	switch line[0] {
	case '@':
		return cyan
	case '-':
		return red
	case '+':
		return green
	}
	return ""
}

// JSON writes the changes as a list, each of them on a line of its own, with those of
// objects that would stay the same. It has no colours. It fails if w does.
func (r *Result) JSON(w io.Writer) error {
	lines := make([]string, len(r.Changes))
	for i, change := range r.Changes {
		var line strings.Builder
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(change); err != nil {
			return fmt.Errorf("writing the change of %s %s as JSON: %w", change.Object.Kind, change.Object.Name, err)
		}
		lines[i] = strings.TrimSuffix(line.String(), "\n")
	}
	_, err := io.WriteString(w, "["+strings.Join(lines, ",\n")+"]\n")
	return err
}
