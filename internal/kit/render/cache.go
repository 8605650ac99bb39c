package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/koshop/koshop/internal/kit/usercache"
)

// Cache keeps what kustomizations were rendered to. Kustomize takes 0.2 s for a small one,
// and four seconds for a thousand objects, since it compares each object with all others.
//
// An entry is used if every file that kustomize read then has the same content now. Nothing
// is kept if the result depends on more than files, or if the files hold Secrets: see
// [observer.doNotKeep].
//
// A process that renders a kustomization with a schema of its own (openapi: or crds:) must
// not use a cache for the next one: kustomize goes on using that schema.
type Cache struct {
	Directory usercache.Directory // keeps nothing if it is ""
	Renew     bool                // replaces what is there, and does not use it
}

// entry is what the cache keeps beside the manifests.
type entry struct {
	Read  []observation
	Notes []string // what was passed to Options.Note
}

// render returns the manifests of the entry, or builds the kustomization and keeps it.
func (c Cache) render(target string, opts Options) ([]byte, error) {
	note := opts.Note
	if note == nil {
		note = func(string) {}
	}
	name, err := nameOf(target, opts)
	if err != nil { // For example, the working directory was deleted.
		manifests, _, err := build(filesys.MakeFsOnDisk(), target, opts)
		return manifests, err
	}
	if !c.Renew {
		if manifests, ok := c.load(name, note); ok {
			return manifests, nil
		}
	}
	var notes []string
	opts.Note = func(text string) {
		notes = append(notes, text)
		note(text)
	}
	seen := newObserver()
	warned := watchLog()
	manifests, objects, err := build(seen, target, opts)
	if warned() {
		seen.doNotKeep("kustomize has logged something")
	}
	if err == nil {
		c.save(name, seen, notes, objects, manifests)
	}
	return manifests, err
}

// nameOf names the entry of a target with its options. Another ko has other entries: what
// is rendered depends on its version and on that of kustomize in it.
func nameOf(target string, opts Options) (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(program)
	if err != nil {
		return "", err
	}
	built, _ := debug.ReadBuildInfo()
	return hash(fmt.Appendf(nil, "%q %q %q %v %v %d %d", directory, target, opts.Namespace, opts.AnyFile, built, info.Size(), info.ModTime().UnixNano()))[:32], nil
}

// load returns the manifests of an entry, if they are what the files are rendered to now,
// and passes on the notes.
func (c Cache) load(name string, note func(string)) (manifests []byte, ok bool) {
	sum, rest, _ := bytes.Cut(c.Directory.Read(name), []byte("\n"))
	if hash(rest) != string(sum) {
		return nil, false // It is damaged.
	}
	header, manifests, _ := bytes.Cut(rest, []byte("\n"))
	var found entry
	if json.Unmarshal(header, &found) != nil || !hold(found.Read) {
		return nil, false
	}
	for _, text := range found.Notes {
		note(text)
	}
	return manifests, true
}

// save writes an entry, unless it must not be used again. A cache that cannot be written
// costs time, and nothing else.
func (c Cache) save(name string, seen *observer, notes []string, objects resmap.ResMap, manifests []byte) {
	read := seen.observations()
	// A file may have changed meanwhile, or be a copy that kustomize has deleted.
	if seen.reason != "" || hasSecrets(objects) || !hold(read) {
		return
	}
	header, err := json.Marshal(entry{read, notes})
	if err != nil {
		return
	}
	rest := append(append(header, '\n'), manifests...)
	c.Directory.RemoveOld()
	_ = c.Directory.Write(name, append([]byte(hash(rest)+"\n"), rest...)) // see above
}

func hasSecrets(objects resmap.ResMap) bool {
	for _, object := range objects.Resources() {
		if object.GetKind() == "Secret" {
			return true
		}
	}
	return false
}
