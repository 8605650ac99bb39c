package servertiming

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	entries := []Entry{
		{Name: "orders-svc", Duration: 12300 * time.Microsecond, Desc: `or"ders\-1`, Version: "1a2b3c4d", Since: 1732662000, By: "api-gateway"},
		{Name: "cache", Duration: Unmeasured, Desc: "a, b; c=d"},
		{Name: "db", Duration: 0},
	}
	const want = `orders-svc;dur=12.3;desc="or\"ders\\-1";version="1a2b3c4d";since=1732662000;by="api-gateway", cache;desc="a, b; c=d", db;dur=0.0`
	got := Format(entries)
	if got != want {
		t.Errorf("formatted:\n%s\nwant\n%s", got, want)
	}
	if again := Parse([]string{got}); !reflect.DeepEqual(again, entries) {
		t.Errorf("parsed:\n%+v\nwant\n%+v", again, entries)
	}
}

// Forms that the standard allows, and what is wrong in them and around them.
func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, header, want string
	}{
		{"blanks and capitals", " a ; DUR = 5 ;\tdesc = x ", `a;dur=5.0;desc="x"`},
		{"other parameters", `a;start=1;dur=5;x="y,z"`, "a;dur=5.0"},
		{"a name alone", "miss", "miss"},
		{"nothing", "", ""},
		{"commas alone", ",,,", ""},
		{"a name that is no token", `a b;dur=1, ok`, "ok"},
		{"a name in quotation marks", `"a";dur=1, ok`, "ok"},
		{"no number", "a;dur=fast", "a"},
		{"a negative number", "a;dur=-1", "a"},
		{"no time", "a;dur=NaN, b;dur=Inf, c;dur=1e300", "a, b, c"},
		{"a quotation mark that is not closed", `a;desc="x, b;dur=1`, "a"},
		{"an escape that ends the value", `a;desc="x\"`, "a"},
		{"a control character", "a;desc=\"x\x00\", b;desc=\"\x7f\"", "a, b"},
		{"a line break", "a;desc=\"x\r\nSet-Cookie: a=b\"", "a"},
		{"not ASCII", "a;desc=\"ü\", ü", "a"},
		{"a long value", `a;desc="` + strings.Repeat("x", 200) + `"`, "a"},
		{"a long name", strings.Repeat("x", 200) + ", ok", "ok"},
		{"a negative beginning", "a;since=-5", "a"},
		{"a long header", strings.Repeat("a,", 10<<10), ""},
	} {
		if got := Format(Parse([]string{test.header})); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.name, test.header, got, test.want)
		}
	}
}

func TestBounds(t *testing.T) {
	var many []Entry
	for range 50 {
		many = append(many, Entry{Name: "a", Duration: time.Millisecond})
	}
	if got := Parse([]string{Format(many)}); len(got) != MaxEntries {
		t.Errorf("%d of 50 entries are left", len(got))
	}
	for i := range many {
		many[i].Desc, many[i].Version = strings.Repeat("d", maxText), strings.Repeat("v", maxText)
	}
	if got := Format(many); len(got) > maxBytes || len(got) < maxBytes/2 {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzParse checks that nothing of a header gets through that is not understood.
func FuzzParse(f *testing.F) {
	f.Add(`a;dur=1;desc="x\"y", b;by=c`)
	f.Add("a\r\nb: c")
	f.Fuzz(func(t *testing.T, header string) {
		once := Format(Parse([]string{header}))
		if len(once) > maxBytes || strings.ContainsAny(once, "\r\n\x00") {
			t.Errorf("%q becomes %q", header, once)
		}
		if twice := Format(Parse([]string{once})); len(twice) > len(once)+MaxEntries*2 || strings.Count(twice, ";") != strings.Count(once, ";") {
			t.Errorf("%q becomes %q, and then %q", header, once, twice)
		}
	})
}
