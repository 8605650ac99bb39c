package products

import (
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
)

// The similarity is that of a reference that compares every run with every other one.
func FuzzRatio(f *testing.F) {
	for _, pair := range [][2]string{{"sunglas", "sunglasses"}, {"lofers", "loafers"}, {"", ""}, {"", "a"}, {"aaaa", "aa"}, {"abcabc", "cab"}, {"é\xff", "e\u0301"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		ra, rb := []rune(a), []rune(b)
		if len(ra)+len(rb) > 120 {
			t.Skip("the reference would take long")
		}
		want := 1.0
		if n := len(ra) + len(rb); n > 0 {
			want = 2 * float64(slowMatches(ra, rb)) / float64(n)
		}
		if got := ratio(a, b); got != want {
			t.Errorf("ratio(%q, %q) = %v, want %v", a, b, got, want)
		}
		if ratio(a, a) != 1 {
			t.Errorf("%q does not resemble itself", a)
		}
	})
}

func slowMatches(a, b []rune) int {
	from, in, size := 0, 0, 0
	for i := range a {
		for j := range b {
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			if n > size {
				from, in, size = i, j, n
			}
		}
	}
	if size == 0 {
		return 0
	}
	return size + slowMatches(a[:from], b[:in]) + slowMatches(a[from+size:], b[in+size:])
}

// A search returns products in the order of the catalogue. It includes all products whose
// names contain the text, in any case of letters.
func FuzzSearch(f *testing.F) {
	for _, text := range []string{"sunglas", "MUG", "", " ", "lofers", "salt & pepper", "\xff", "İ", strings.Repeat("x", 100), "K"} {
		f.Add(text)
	}
	catalogue, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rest := []api.Product(catalogue)
		for _, p := range catalogue.Search(text) {
			i := slices.IndexFunc(rest, func(q api.Product) bool { return q.ID == p.ID })
			if i < 0 {
				t.Fatalf("%q finds %s twice or out of order", text, p.Name)
			}
			for _, missed := range rest[:i] {
				checkMissed(t, text, missed)
			}
			rest = rest[i+1:]
		}
		for _, missed := range rest {
			checkMissed(t, text, missed)
		}
		for _, p := range catalogue.InCategory(text) {
			if !slices.ContainsFunc(p.Categories, func(c string) bool { return strings.EqualFold(c, text) }) {
				t.Errorf("%s is not in %q", p.Name, text)
			}
		}
	})
}

func checkMissed(t *testing.T, text string, p api.Product) {
	t.Helper()
	if strings.Contains(strings.ToLower(p.Name), strings.ToLower(text)) {
		t.Errorf("%q does not find %s", text, p.Name)
	}
}
