package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/record"
	"github.com/koshop/koshop/internal/kit/usercache"
)

var key = record.Key{WorkingDirectory: "/shop", ImportPath: "example.com/app/web", Repository: "localhost:5001/web"}

// A record that was saved says the same as before, and holds as before.
func TestStore(t *testing.T) {
	p := newPlace(t)
	p.write("app/web/kodata/odd \"name\n.html", "odd\n")
	store := record.Store{Dir: usercache.Directory(filepath.Join(t.TempDir(), "records"))}
	if store.Load(key) != nil {
		t.Error("there is a record before one was saved")
	}
	saved := p.mustRecord()
	saved.Image = "localhost:5001/web@sha256:00"
	for range 2 { // The second one replaces the first.
		if err := store.Save(key, saved); err != nil {
			t.Fatal(err)
		}
	}
	loaded := store.Load(key)
	if loaded == nil || loaded.Image != saved.Image || loaded.Inputs.Hash() != saved.Inputs.Hash() {
		t.Fatalf("loaded %+v, saved %+v", loaded, saved)
	}
	if !holds(t.Context(), p, loaded) {
		t.Error("nothing has changed, and the record does not hold")
	}
	p.replace("app/lib/lib.go", `"lib"`, `"bil"`)
	if holds(t.Context(), p, loaded) {
		t.Error("a file has changed, and the record holds")
	}
	other := key
	other.Repository = "localhost:5001/other"
	if store.Load(other) != nil {
		t.Error("the record of one repository is found for another one")
	}
}

// A record that is damaged, or of another version, is none.
func TestDamagedRecords(t *testing.T) {
	p := newPlace(t)
	store := record.Store{Dir: usercache.Directory(t.TempDir())}
	if err := store.Save(key, p.mustRecord()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(string(store.Dir))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	file := filepath.Join(string(store.Dir), files[0].Name())
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":           "",
		"another version": strings.Replace(string(whole), "ko record 1", "ko record 2", 1),
		"cut off":         string(whole[:len(whole)/2]),
		"without its end": strings.TrimSuffix(string(whole), "end\n"),
		"a strange line":  strings.Replace(string(whole), "conditions", "weather", 1),
		"a bare word":     strings.Replace(string(whole), "\nsetting ", "\nsetting x", 1),
	} {
		if text == string(whole) {
			t.Fatalf("%s: it is not damaged", name)
		}
		p.damage(file, text)
		if store.Load(key) != nil {
			t.Errorf("%s: it is read", name)
		}
	}
	p.damage(file, string(whole))
	if store.Load(key) == nil {
		t.Error("the record as it was saved is not read")
	}
}

func (p *place) damage(file, text string) {
	p.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

// A record in a directory that cannot be written is an error that names the program.
func TestStoreThatCannotBeWritten(t *testing.T) {
	p := newPlace(t)
	file := filepath.Join(t.TempDir(), "file")
	p.damage(file, "")
	err := record.Store{Dir: usercache.Directory(filepath.Join(file, "records"))}.Save(key, p.mustRecord())
	if err == nil || !strings.Contains(err.Error(), key.ImportPath) {
		t.Errorf("got error %v", err)
	}
}

// A program of which not all inputs can be known has no record.
func TestUnknownInputs(t *testing.T) {
	for name, make := range map[string]func(p *place){
		"C": func(p *place) {
			p.Setenv("CGO_ENABLED", "1")
			p.write("app/lib/c.go", "package lib\n\nimport \"C\"\n")
		},
		"an overlay": func(p *place) {
			p.write("overlay.json", "{}")
			p.Setenv("GOFLAGS", "-overlay="+p.path("overlay.json"))
		},
		"another go.mod": func(p *place) {
			p.write("app/.ko.yaml", "defaultFlags: [-modfile=other.mod]\n")
			p.write("app/other.mod", shop()["app/go.mod"])
		},
		"a linker of C": func(p *place) { p.write("app/.ko.yaml", "defaultLdflags: ['-s -linkmode=external']\n") },
		"two dashes":    func(p *place) { p.write("app/.ko.yaml", "defaultLdflags: ['-s --linkmode=external']\n") },
		"flags of a package": func(p *place) {
			p.write("app/.ko.yaml", "defaultFlags: ['-gcflags=example.com/app/web=-pgoprofile=x']\n")
		},
		"headers":             func(p *place) { p.write("app/.ko.yaml", "defaultFlags: ['-asmflags=all=-I /include']\n") },
		"assembly":            func(p *place) { p.write("app/lib/a_"+runtime.GOARCH+".s", "#include \"../other/a.h\"\n") },
		"changes of go.mod":   func(p *place) { p.Setenv("GOFLAGS", "-mod=mod") },
		"another repository":  func(p *place) { p.write(".hg/store", ""); p.write("app/.ko.yaml", "defaultFlags: [-buildvcs=auto]\n") },
		"what does not parse": func(p *place) { p.write("app/lib/broken.go", "package\n") },
		"a missing package":   func(p *place) { p.write("app/lib/imports.go", "package lib\n\nimport _ \"example.com/app/missing\"\n") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			make(p)
			_, err := p.record()
			if reason, isUnknown := errors.AsType[*record.Unknown](err); !isUnknown || reason.Reason == "" {
				t.Errorf("got error %v, want that the inputs are not known", err)
			}
		})
	}
}

// Two clones have the same inputs, wherever they are, unless the executable says where.
func TestClones(t *testing.T) {
	one := newPlace(t).mustRecord()
	other := newPlace(t).mustRecord()
	if one.Inputs.Hash() != other.Inputs.Hash() {
		t.Errorf("another clone: %s", other.Inputs.Explain(one.Inputs))
	}
	withPaths := func() *record.Record {
		p := newPlace(t)
		p.write("app/.ko.yaml", "defaultFlags: [-buildvcs=false]\n")
		return p.mustRecord()
	}
	one, other = withPaths(), withPaths()
	if reason := other.Inputs.Explain(one.Inputs); !strings.HasPrefix(reason, "directory changed from ") {
		t.Errorf("another clone, with paths in the executable: %q", reason)
	}
}
