package shop_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mistake is a JSON text in the place of a member's value.
type mistake struct {
	name, value string
	want        []int
}

// ofAnother are values of types that a member of the type does not have.
var ofAnother = map[string][]mistake{
	"string": {
		{"a number", "5", invalid},
		{"a boolean", "true", invalid},
		{"a list", `["x"]`, invalid},
		{"an object", `{"x":1}`, invalid},
	},
	"number": {
		{"a text", `"109.08"`, invalid},
		{"a boolean", "false", invalid},
		{"a list", "[1]", invalid},
		{"an object", "{}", invalid},
	},
	"array": {
		{"a text", `"L9ECAV7KIM"`, invalid},
		{"a number", "7", invalid},
		{"an object", `{"0":"x"}`, invalid},
		{"an empty list", "[]", invalid},
		{"a list of numbers", "[1,2]", invalid},
		{"a list of null", "[null]", invalid},
		{"a list in a list", `[["x"]]`, invalid},
		{"an empty text in a list", `["x",""]`, invalid},
	},
}

// anywhere are texts that are wrong as any value.
var anywhere = []mistake{
	{"NaN", "NaN", malformed},
	{"an infinity", "-Infinity", malformed},
	{"a hexadecimal number", "0x10", malformed},
	{"an octal number", "010", malformed},
	{"a plus", "+1", malformed},
	{"a point without digits", "1.", malformed},
	{"single quotes", "'x'", malformed},
	{"no quotes", "undefined", malformed},
	{"nothing", " ", malformed},
	{"a comment", "1/*x*/", malformed},
	{"a line break in a text", "\"a\nb\"", malformed},
	{"an unknown escape", `"\x41"`, malformed},
	{"bytes that are no UTF-8", "\"\xff\xfe\"", malformed},
	{"an overlong code", "\"\xc0\xaf\"", malformed},
	{"half a surrogate pair", `"\ud83d"`, malformed},
	{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", malformed},
	{"NUL", `"a\u0000b"`, invalid},
	{"deep nesting", strings.Repeat("[", 40) + strings.Repeat("]", 40), invalid},
	{"many values", "[" + strings.Repeat("1,", 1200) + "1]", tooLarge},
	{"a text of 20 KiB", `"` + strings.Repeat("x", 20<<10) + `"`, large},
	{"a number of 20 KiB", strings.Repeat("9", 20<<10), large},
}

var (
	malformed = []int{400}
	invalid   = []int{422}
	large     = []int{413}
	tooLarge  = []int{413, 422} // the operations have different limits
)

// badMembers has each member of each body wrong in each way.
func badMembers(operations []operation, token string) (all []bad) {
	for _, op := range operations {
		for _, m := range op.members {
			for _, mistake := range m.mistakes() {
				name := m.name + ": " + mistake.name
				all = append(all, op.send(name, token, op.body(map[string]string{m.name: mistake.value}), mistake.want))
			}
			twice := fmt.Sprintf("%s,%q:%s", m.schema.valid(), m.name, m.schema.valid())
			all = append(all, op.send(m.name+": twice", token, op.body(map[string]string{m.name: twice}), invalid))
			capital := fmt.Sprintf("%s,%q:%s", m.schema.valid(), strings.ToUpper(m.name), m.schema.valid())
			all = append(all, op.send(m.name+": twice, once in capitals", token, op.body(map[string]string{m.name: capital}), invalid))
		}
	}
	return all
}

// mistakes returns what can be wrong with a member by its schema.
func (m member) mistakes() []mistake {
	all := slices.Concat(ofAnother[m.schema.Type], anywhere)
	add := func(name, value string) { all = append(all, mistake{name, value, invalid}) }
	if m.required {
		add("missing", "")
		add("null", "null")
	}
	if s := m.schema; s.MinLength > 0 {
		add("empty", `""`)
	}
	if n := m.schema.MaxLength; n > 0 {
		add("too long", `"`+strings.Repeat("é", n+1)+`"`)
	}
	if n := m.schema.MaxItems; n > 0 {
		add("too many", "["+strings.Repeat(`"x",`, n)+`"x"]`)
	}
	if m.schema.Format == "email" {
		for _, address := range []string{"ann", "ann@", "@x", "Ann <ann@example.com>", "a b@x", "ann@example.com,bob@example.com", "=?utf-8?q?x?= <a@b.c>"} {
			add("an address "+address, `"`+address+`"`)
		}
	}
	if m.schema.Minimum != nil {
		for _, amount := range []string{"-109.08", "-0", "0", "0.001", "1e-400", "109.081", "109.07999", "0.0100000000000000001"} {
			add("an amount of "+amount, amount)
		}
	}
	if m.schema.Maximum != nil {
		for _, amount := range []string{"1000000.01", "1e30", "1e400", "92233720368547758.08", "1" + strings.Repeat("0", 500)} {
			add("an amount of "+amount, amount)
		}
	}
	return all
}

// mutations is how many bodies chance makes of each valid one.
const mutations = 25

// mutated has valid bodies in which bytes are exchanged, left out or repeated. Some are
// still valid; none may be a fault of the service.
func mutated(t *testing.T, operations []operation, token string) (all []bad) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("SEED"), strconv.FormatInt(time.Now().UnixNano(), 10)), 10, 64)
	if err != nil {
		t.Fatal("SEED: ", err)
	}
	t.Logf("bodies are changed with SEED=%d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	const pieces = "{}[]\":,\\u0-9eE.tfn \x00\xff\xc3"
	for _, op := range operations {
		if op.members == nil {
			continue
		}
		for i := range mutations {
			body := []byte(op.body(nil))
			for range 1 + chance.IntN(4) {
				at := chance.IntN(len(body))
				switch chance.IntN(3) {
				case 0:
					body[at] = pieces[chance.IntN(len(pieces))]
				case 1:
					body = append(body[:at], body[min(at+1+chance.IntN(8), len(body)-1):]...)
				case 2:
					body = append(body[:at:at], append([]byte{pieces[chance.IntN(len(pieces))]}, body[at:]...)...)
				}
			}
			all = append(all, op.send(fmt.Sprintf("change %d of seed %d", i, seed), token, string(body), []int{200, 400, 401, 403, 404, 422, 429}))
		}
	}
	return all
}
