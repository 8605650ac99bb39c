package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// surrogate finds escapes of which a pair makes one character. encoding/json reads a
// half as U+FFFD; parse refuses it.
var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// maxAllocated is more than parse ever allocates for a body that is accepted or refused:
// a thousand objects, and what of a body its reader holds.
const maxAllocated = 2 << 20

// What parse accepts is what encoding/json reads, and what it refuses has a reason that
// a slower reader finds too.
func FuzzParse(f *testing.F) {
	for _, body := range []string{
		`{"name":"Ann","email":"ann@example.com","password":"long enough it is"}`, `[1,2.5,-0,1e400,true,false,null]`,
		`{"a":1,"A":2}`, `{"a":1,"a":2}`, `{"s":1,"ſ":2}`, `{"K":1,"k":2}`, `"\ud83d\ude00"`, `"\ud800"`, `"\u0000"`, "\"\xff\"",
		`{"":{"":{"":[]}}}`, ` [ ] `, `[1,]`, `{"a"}`, `{"a":}`, "\ufeff{}", `01`, `1.`, `-`, `+1`, `NaN`, `1 2`, "", "\x00",
		strings.Repeat("[", 16) + strings.Repeat("]", 16), strings.Repeat("[", 17) + strings.Repeat("]", 17),
		`[0` + strings.Repeat(",0", maxValues-2) + `]`, `[0` + strings.Repeat(",0", maxValues-1) + `]`,
		`[{"":0}` + strings.Repeat(`,{"":0}`, 1000) + `]`, `{"x":"` + strings.Repeat("é", 500) + `"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBody {
			t.Skip("no operation reads so long a body")
		}
		allocated := allocations()
		value, err := parse(body)
		if allocated = allocations() - allocated; allocated > maxAllocated {
			t.Errorf("%d bytes are allocated for %d", allocated, len(body))
		}
		reason := reasonToRefuse(body)
		if half := surrogate.Match(body); err == nil && reason != "" || err != nil && reason == "" && !half {
			t.Errorf("parse(%q): %v, but: %q", body, err, reason)
		}
		if err == nil {
			checkAgreement(t, body, value)
		} else if problem, ok := errors.AsType[*memberError](err); ok {
			if len(problem.path) > maxEcho+len("…") {
				t.Errorf("the path of the problem has %d bytes", len(problem.path))
			}
		} else if err != errNotJSON && err != errNotUTF8 {
			t.Errorf("parse(%q): an error that is not for clients: %v", body, err)
		}
	})
}

func allocations() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func checkAgreement(t *testing.T, body []byte, value any) {
	t.Helper()
	var want any
	if err := json.Unmarshal(body, &want); err != nil {
		if !containsInfinity(value) { // encoding/json refuses a number that no float64 holds
			t.Errorf("parse accepts %q; encoding/json: %v", body, err)
		}
	} else if !reflect.DeepEqual(value, want) {
		t.Errorf("parse(%q) = %#v, encoding/json reads %#v", body, value, want)
	}
}

func containsInfinity(value any) bool {
	switch v := value.(type) {
	case float64:
		return math.IsInf(v, 0)
	case []any:
		for _, item := range v {
			if containsInfinity(item) {
				return true
			}
		}
	case map[string]any:
		for _, member := range v {
			if containsInfinity(member) {
				return true
			}
		}
	}
	return false
}

// reasonToRefuse is the slow reader: what is wrong with a body, or "".
func reasonToRefuse(body []byte) string {
	if !utf8.Valid(body) {
		return "no UTF-8"
	}
	if !json.Valid(body) {
		return "no JSON"
	}
	r := reader{Decoder: json.NewDecoder(bytes.NewReader(body))}
	r.UseNumber()
	reason := r.value(0)
	if _, err := r.Token(); reason == "" && err != io.EOF {
		return "more than one value"
	}
	return reason
}

type reader struct {
	*json.Decoder
	values int
}

func (r *reader) value(depth int) string {
	token, err := r.Token()
	if err != nil {
		return err.Error()
	}
	if r.values++; r.values > maxValues {
		return "too many values"
	}
	if text, ok := token.(string); ok && strings.Contains(text, "\x00") {
		return "NUL"
	}
	opening, ok := token.(json.Delim)
	if !ok {
		return ""
	}
	if depth == maxDepth {
		return "too deep"
	}
	var names []string
	for r.More() {
		if opening == '{' {
			name, _ := r.Token()
			for _, other := range names {
				if strings.EqualFold(name.(string), other) {
					return "given twice"
				}
			}
			names = append(names, name.(string))
		}
		if reason := r.value(depth + 1); reason != "" {
			return reason
		}
	}
	_, _ = r.Token() // the closing one, which json.Valid has seen
	return ""
}

// Texts become the same exactly when they differ in nothing but case.
func FuzzFold(f *testing.F) {
	for _, pair := range [][2]string{{"password", "PASSWORD"}, {"paſſword", "passWord"}, {"K", "k"}, {"ß", "ẞ"}, {"σ", "ς"}, {"İ", "i"}, {"a", "b"}, {"\xff", "�"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		folded := strings.Map(Fold, a)
		if same := folded == strings.Map(Fold, b); same != strings.EqualFold(a, b) {
			t.Errorf("%q and %q: folded to the same: %t, EqualFold: %t", a, b, same, !same)
		}
		if !utf8.ValidString(a) {
			return
		}
		if again := strings.Map(Fold, folded); again != folded || !strings.EqualFold(a, folded) {
			t.Errorf("fold %q: %q, and then %q", a, folded, again)
		}
		if clipped := clip(a); !utf8.ValidString(clipped) || len(clipped) > maxEcho+len("…") || !strings.HasPrefix(a, strings.TrimSuffix(clipped, "…")) {
			t.Errorf("clip %q: %q", a, clipped)
		}
	})
}
