package chaos

import (
	"strings"
	"testing"
)

const sample = `package sample

func pay(ok bool, n int) (int, error) {
	if err := check(n, true); err != nil {
		return 0, err
	}
	if _, err := store(); ok && n < 3 {
		return 1, err
	}
	p.Status = paid
	note()
	log.Print("x")
	switch n {
	case 1:
		n = 2
	}
	switch {
	case n == 4:
		return n, fails("UPDATE a SET b = $1 WHERE id = $2 AND (c = 'x' OR d IN ($3, 'y')) RETURNING e")
	}
	return n, nil
}
`

// mistakes are those of the sample: what a line becomes.
var mistakes = []string{
	"if err := error(nil); err != nil {",
	"if err := check(n, false); err != nil {",
	"if err := check(n, true); false && (err != nil) {",
	"return 0, nil",
	"if _, err := any(nil), error(nil); ok && n < 3 {",
	"if _, err := store(); false && (ok && n < 3) {",
	"if _, err := store(); (ok) {",
	"if _, err := store(); (n < 3) {",
	"if _, err := store(); ok && n <= 3 {",
	"return 1, nil",
	"_ = paid",
	"",
	"",
	"case false && (n == 4):",
	"case n != 4:",
	"return n, nil",
	`return n, fails("UPDATE a SET b = $1 WHERE (id = $2 OR 1 = 1) AND (c = 'x' OR d IN ($3, 'y')) RETURNING e")`,
	`return n, fails("UPDATE a SET b = $1 WHERE id = $2 AND ((c = 'x' OR d IN ($3, 'y')) OR 1 = 1) RETURNING e")`,
	`return n, fails("UPDATE a SET b = $1 WHERE id = $2 AND (c = 'x' OR (d IN ($3, 'y') AND 1 = 0)) RETURNING e")`,
}

func TestMutate(t *testing.T) {
	changes, err := mutate("sample.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		after := strings.Split(string(c.apply([]byte(sample))), "\n")
		got = append(got, strings.TrimSpace(after[c.line-1]))
		if !strings.HasPrefix(c.diff([]byte(sample)), "- ") {
			t.Errorf("the difference begins with %s", c.diff([]byte(sample)))
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(mistakes, "\n"); g != w {
		t.Errorf("got\n%s\n\nwant\n%s", g, w)
	}
}
