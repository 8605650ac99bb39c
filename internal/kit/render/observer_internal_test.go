package render

import (
	"os"
	"path/filepath"
	"testing"
)

// What the observer cannot answer for is not kept.
func TestWhatTheObserverDoubts(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file.yaml")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(o *observer) {
		if _, err := o.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for how, do := range map[string]func(o *observer){
		"":                     read,
		"read twice, the same": func(o *observer) { read(o); read(o) },
		"changed between two":  func(o *observer) { read(o); write("two"); read(o) },
		"a copy of a cloned base": func(o *observer) {
			o.copies = filepath.Dir(file)
			o.observe(callRead, filepath.Join(directory, "kustomize-1/x"), "")
		},
		"opened":                   func(o *observer) { f, err := o.Open(file); read(o); closeFile(t, f, err) },
		"listed":                   func(o *observer) { _, err := o.ReadDir(directory); must(t, err) },
		"found":                    func(o *observer) { _, err := o.Glob(file); must(t, err) },
		"walked through":           func(o *observer) { must(t, o.Walk(directory, func(string, os.FileInfo, error) error { return nil })) },
		"looked for":               func(o *observer) { _ = o.Exists(file) },
		"looked for, as directory": func(o *observer) { _ = o.IsDir(file) },
		"written":                  func(o *observer) { must(t, o.WriteFile(file, nil)) },
		"removed":                  func(o *observer) { must(t, o.RemoveAll(filepath.Join(directory, "none"))) },
	} {
		t.Run(how, func(t *testing.T) {
			write("one")
			o := newObserver()
			do(o)
			if isKept := how == "" || how == "read twice, the same"; (o.reason == "") != isKept {
				t.Errorf("the reason is %q", o.reason)
			}
		})
	}
}

func closeFile(t *testing.T, f interface{ Close() error }, err error) {
	t.Helper()
	must(t, err)
	must(t, f.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A file that changes between its reading and the end of the rendering leaves no entry.
func TestChangeWhileRendering(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file.yaml")
	must(t, os.WriteFile(file, []byte("one"), 0o600))
	o := newObserver()
	_, err := o.ReadFile(file)
	must(t, err)
	if !hold(o.observations()) {
		t.Error("nothing has changed")
	}
	must(t, os.WriteFile(file, []byte("two"), 0o600))
	if hold(o.observations()) {
		t.Error("the change is not noticed")
	}
	if hold(nil) {
		t.Error("without any observation, something is known")
	}
}
