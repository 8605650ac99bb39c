package products

import (
	"encoding/json"
	"os"
	"testing"
)

// TestRatioIsPythons compares with what python3's difflib gave for the same
// texts. To add some, append rows that this prints for a and b:
//
//	python3 -c 'import difflib,json,sys; a,b=sys.argv[1:]; print(json.dumps([a,b,difflib.SequenceMatcher(None,a,b).ratio()]))' a b
func TestRatioIsPythons(t *testing.T) {
	table, err := os.ReadFile("testdata/ratio.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][3]any
	if err := json.Unmarshal(table, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 1000 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		a, b, want := row[0].(string), row[1].(string), row[2].(float64)
		if got := ratio(a, b); got != want {
			t.Errorf("ratio(%q, %q) = %v, Python says %v", a, b, got, want)
		}
	}
}
