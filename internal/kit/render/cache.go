package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/koshop/koshop/internal/kit/usercache"
)

// Cache keeps what kustomizations were rendered to. Kustomize takes 0.2 s for a small one,
// and four seconds for a thousand objects, since it compares each object with all others.
//
// What was kept is used if every question that kustomize asked the file system then has
// the same answer now. It is not kept if that does not decide the result: see
// [observer.doubt]. A kustomization that has Secrets is not kept either.
//
// The zero value keeps nothing.
type Cache struct{ Directory usercache.Directory }

// making is the version of what this package makes of a kustomization. Raise it when that
// changes for the same files.
const making = "1"

// kept is the first line of a file in the cache, as JSON. The manifests follow.
type kept struct {
	Seen  []sight
	Notes []string
	Sum   string // of the manifests
}

// render returns what was kept for the kustomization, or builds it and keeps the result.
func (c Cache) render(target string, opts Options) ([]byte, error) {
	name, err := c.name(target, opts)
	if err != nil {
		return nil, fmt.Errorf("rendering kustomization %s: %w", target, err)
	}
	tell := opts.Note
	if tell == nil {
		tell = func(string) {}
	}
	if manifests, ok := c.load(name, tell); ok {
		return manifests, nil
	}
	var notes []string
	opts.Note = func(text string) {
		notes = append(notes, text)
		tell(text)
	}
	seen := observe(filesys.MakeFsOnDisk())
	manifests, objects, err := build(seen, target, opts)
	if err == nil {
		c.save(name, seen, notes, objects, manifests)
	}
	return manifests, err
}

// name names the file for a target with its options.
func (c Cache) name(target string, opts Options) (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s %q %q %q %v %q", making, directory, target, opts.Namespace, opts.AnyFile, versions())
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16]), nil
}

// versions returns the versions of kustomize that are part of this program.
func versions() (found []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, module := range info.Deps {
		if strings.HasPrefix(module.Path, "sigs.k8s.io/kustomize/") || strings.Contains(module.Path, "yaml") {
			found = append(found, module.Path+"@"+module.Version+" "+module.Sum)
		}
	}
	return found
}

// load returns the manifests that were kept, if they are what the files are rendered to
// now, and passes on the notes.
func (c Cache) load(name string, note func(string)) (manifests []byte, ok bool) {
	header, manifests, found := bytes.Cut(c.Directory.Read(name), []byte("\n"))
	var was kept
	if !found || json.Unmarshal(header, &was) != nil || answer(manifests, nil) != was.Sum {
		return nil, false // It is damaged.
	}
	disk := filesys.MakeFsOnDisk()
	for _, s := range was.Seen {
		if ask(disk, s.Question) != s.Answer {
			return nil, false
		}
	}
	for _, text := range was.Notes {
		note(text)
	}
	return manifests, true
}

// save keeps what was rendered, unless there is doubt whether it can be used again. A
// cache that cannot be written costs time, and nothing else.
func (c Cache) save(name string, seen *observer, notes []string, objects resmap.ResMap, manifests []byte) {
	if seen.doubt != "" || hasSecrets(objects) {
		return
	}
	now := kept{seen.sights(), notes, answer(manifests, nil)}
	disk := filesys.MakeFsOnDisk()
	for _, s := range now.Seen {
		if ask(disk, s.Question) != s.Answer {
			return // It has changed meanwhile, or was a copy for the time of this rendering.
		}
	}
	header, err := json.Marshal(now)
	if err != nil {
		return
	}
	c.Directory.RemoveOld()
	_ = c.Directory.Write(name, append(append(header, '\n'), manifests...)) // see above
}

func hasSecrets(objects resmap.ResMap) bool {
	for _, object := range objects.Resources() {
		if object.GetKind() == "Secret" {
			return true
		}
	}
	return false
}
