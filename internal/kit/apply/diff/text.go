package diff

import (
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// text returns a state as YAML, by the library that kubectl uses, or nothing if the
// state is missing.
func text(state map[string]any) ([]byte, error) {
	if state == nil {
		return nil, nil
	}
	asJSON, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(escaped(asJSON))
}

// escaped returns JSON in which the characters are escaped that YAML refuses or reads
// otherwise, though JSON does not: control characters, and the byte order mark with
// which a file of Windows may begin. With one of them in a ConfigMap, `kubectl diff`
// fails. See https://yaml.org/spec/1.1/#c-printable.
func escaped(asJSON []byte) []byte {
	const byteOrderMark, swappedMark, noCharacter = 0xfeff, 0xfffe, 0xffff
	out := make([]byte, 0, len(asJSON))
	for _, r := range string(asJSON) {
		if unicode.IsControl(r) || r == byteOrderMark || r == swappedMark || r == noCharacter {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}
