package record_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// editor edits the shop at random. What it leaves behind compiles.
type editor struct {
	*place
	random *rand.Rand
}

// files are those that are edited, each with what a random number stands in.
var files = map[string]string{
	"app/lib/lib.go":            "package lib\n\nvar Name = \"lib%d\"\n",
	"app/lib/lib_test.go":       "package lib\n\nvar test = %d\n",
	"app/unused/unused.go":      "package unused\n\nvar unused = %d\n",
	"app/web/loud.go":           "//go:build loud\n\npackage main\n\nvar tag = \"%d\"\n",
	"app/web/tag.go":            "//go:build !loud\n\npackage main\n\nvar tag = \"%d\"\n",
	"app/web/site/index.html":   "<p>%d\n",
	"app/web/kodata/index.html": "<p>%d\n",
	"app/README.md":             "%d\n",
	"replaced/replaced.go":      "package replaced\n\nvar Name = \"replaced%d\"\n",
	"vendored/vendored.go":      "package vendored\n\n// %d\nvar Name = \"vendored\"\n",
	"app/.ko.yaml":              "# %d\ndefaultFlags: [-buildvcs=false, -trimpath]\n",
}

// extras come and go.
var extras = map[string]string{
	"app/lib/more.go":              "package lib\n\nfunc init() { Name += \"%d\" }\n",
	"app/lib/more_windows.go":      "package lib\n\nfunc init() { Name += \"%d\" }\n",
	"app/lib/more_test.go":         "package lib\n\n// %d\n",
	"app/lib/left_out.go":          "//go:build never%d\n\npackage lib\n\nfunc init() { Name += \"more\" }\n",
	"app/lib/NOTES":                "%d\n",
	"app/web/site/more.html":       "%d\n",
	"app/web/site/sub/more.html":   "%d\n",
	"app/web/site/sub2/_more.html": "%d\n",
	"app/web/site/sub2/a.html":     "%d\n",
	"app/web/kodata/sub/more":      "%d\n",
	"app/web/default.pgo":          "",
	"go.work":                      "go 1.26\n\n// %d\nuse ./app\n",
	"go.mod":                       "module example.com/above\n\n// %d\n",
	"replaced/more.go":             "package replaced\n\n// %d\n",
}

// edit makes one edit, and says which.
func (e *editor) edit() string {
	text := func(form string) string {
		if form == "" {
			return ""
		}
		return fmt.Sprintf(form, e.random.IntN(3))
	}
	switch e.random.IntN(6) {
	case 0, 1:
		name := e.pick(files)
		e.write(name, text(files[name]))
		return "write " + name
	case 2, 3:
		name := e.pick(extras)
		if _, err := os.Stat(e.path(name)); err == nil {
			must(e.place, os.Remove(e.path(name)))
			e.keepEmbeddable(name)
			return "remove " + name
		}
		e.write(name, text(extras[name]))
		e.keepEmbeddable(name)
		return "create " + name
	case 4:
		name := e.pick(files)
		at := time.Unix(int64(1_700_000_000+e.random.IntN(3)), 0)
		must(e.place, os.Chtimes(e.path(name), at, at))
		return "touch " + name
	default:
		value := []string{"", "-tags=loud", "-tags=never1"}[e.random.IntN(3)]
		e.Setenv("GOFLAGS", value)
		return "GOFLAGS=" + value
	}
}

// keepEmbeddable removes a directory without a file that a pattern takes: go build
// refuses it.
func (e *editor) keepEmbeddable(name string) {
	dir := filepath.Dir(e.path(name))
	if filepath.Base(filepath.Dir(dir)) != "site" {
		return
	}
	for _, file := range []string{"a.html", "more.html"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return
		}
	}
	must(e.place, os.RemoveAll(dir))
}

// pick returns one of the names, in an order that is the same for the same seed.
func (e *editor) pick(texts map[string]string) string {
	names := slices.Sorted(maps.Keys(texts))
	return names[e.random.IntN(len(names))]
}

// Whatever is edited, a record that holds is one of the image that a build makes, and so
// are inputs with the same hash. RECORD_EDITS and RECORD_SEED choose other edits.
func TestRandomEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles a program for each edit")
	}
	edits, seed := 30, uint64(1)
	if text := os.Getenv("RECORD_EDITS"); text != "" {
		edits = number(t, text)
	}
	if text := os.Getenv("RECORD_SEED"); text != "" {
		seed = uint64(number(t, text))
	}
	t.Logf("RECORD_EDITS=%d RECORD_SEED=%d", edits, seed)
	e := &editor{newPlace(t), rand.New(rand.NewPCG(seed, 0))}
	former, image := e.mustRecord(), e.image()
	held, rebuilt := 0, 0
	for i := range edits {
		what := e.edit()
		holds, now, made := holds(t.Context(), e.place, former), e.mustRecord(), e.image()
		isSame := made == image
		same := now.Inputs.Hash() == former.Inputs.Hash()
		switch {
		case (holds || same) && !isSame:
			t.Fatalf("edit %d, %s: the record holds: %v, the inputs are the same: %v, and the image is another one", i, what, holds, same)
		case holds && !same:
			t.Fatalf("edit %d, %s: the record holds, and the inputs are others: %s", i, what, now.Inputs.Explain(former.Inputs))
		case holds:
			held++
		case isSame && !same:
			rebuilt++
		}
		former, image = now, made
	}
	t.Logf("the record held %d times, and %d images were built again without need", held, rebuilt)
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
