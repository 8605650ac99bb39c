package postgres

import "testing"

func TestChoose(t *testing.T) {
	installed := []Installation{{Bin: "new", Major: 17}, {Bin: "old", Major: 15}}
	for _, test := range []struct {
		name string
		kept int // major version of the database that is there
		tag  string
		want string
	}{
		{"a new database, a version that is here", 0, "15.3-alpine", "old"},
		{"a new database, a version that is not here", 0, "16", "new"},
		{"a new database, no version", 0, "latest", "new"},
		{"a kept database", 15, "17", "old"},
		{"a kept database, a version that is not here", 14, "17", ""},
	} {
		got, found := choose(installed, test.kept, major(test.tag))
		if got.Bin != test.want || found != (test.want != "") {
			t.Errorf("%s: got %v, %v, want %q", test.name, got, found, test.want)
		}
	}
	if _, found := choose(nil, 0, 15); found {
		t.Error("found one where none is installed")
	}
}
