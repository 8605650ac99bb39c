package render

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// observation is a question that kustomize asked the file system, and a hash of the answer:
// files may hold what must not be copied.
type observation struct{ Call, Path, Answer string }

// The calls that kustomize makes to load files.
const (
	callClean = "clean" // CleanedAbs
	callRead  = "read"  // ReadFile
)

// observer is the disk, and remembers what kustomize asks it.
type observer struct {
	disk   filesys.FileSystem
	copies string // below this directory, kustomize makes copies of what it clones with git
	seen   map[[2]string]string

	// kustomizations are the kustomization files, by the path at which they are read:
	// one may be a symbolic link.
	kustomizations map[string]bool

	// reason says why the result must not be kept; "" if it may be.
	reason string
}

func newObserver() *observer {
	temporary, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		temporary = os.TempDir()
	}
	return &observer{disk: filesys.MakeFsOnDisk(), copies: temporary, seen: map[[2]string]string{}, kustomizations: map[string]bool{}}
}

// doNotKeep says that the result must not be kept, and why.
func (o *observer) doNotKeep(reason string) {
	if o.reason == "" {
		o.reason = reason
	}
}

// observations returns what was seen, in an order that is always the same.
func (o *observer) observations() []observation {
	all := make([]observation, 0, len(o.seen))
	for question, answer := range o.seen {
		all = append(all, observation{question[0], question[1], answer})
	}
	slices.SortFunc(all, func(a, b observation) int {
		return strings.Compare(a.Call+" "+a.Path, b.Call+" "+b.Path)
	})
	return all
}

// hold reports whether the questions have the same answers now. Without any question,
// nothing is known.
func hold(all []observation) bool {
	disk := filesys.MakeFsOnDisk()
	for _, o := range all {
		now := ""
		switch {
		case o.Call == callClean:
			now = answerOfClean(disk.CleanedAbs(o.Path))
		case o.Call == callRead && !mayHang(o.Path):
			now = answerOfRead(disk.ReadFile(o.Path))
		}
		if now != o.Answer {
			return false
		}
	}
	return len(all) > 0
}

func answerOfRead(content []byte, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return hash(content)
}

func answerOfClean(directory filesys.ConfirmedDir, file string, err error) string {
	return answerOfRead([]byte(string(directory)+"\x00"+file), err)
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// mayHang reports whether a path is a pipe or a device: what is read of it once may not be
// there a second time.
func mayHang(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

func (o *observer) observe(call, path, answer string) {
	question := [2]string{call, path}
	if before, asked := o.seen[question]; asked && before != answer {
		o.doNotKeep(path + " changed while it was read")
	}
	o.seen[question] = answer
	below, err := filepath.Rel(o.copies, path)
	switch {
	case err == nil && strings.HasPrefix(below, "kustomize-"):
		o.doNotKeep(path + " is a copy: the next one has another name")
	case !utf8.ValidString(path):
		o.doNotKeep("JSON cannot hold the path " + path)
	}
}

// CleanedAbs is what kustomize asks first for most files.
func (o *observer) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	directory, file, err := o.disk.CleanedAbs(path)
	o.observe(callClean, path, answerOfClean(directory, file, err))
	if err == nil && isKustomization(path) {
		o.kustomizations[directory.Join(file)] = true
	}
	return directory, file, err
}

// isKustomization reports whether a file has a name by which kustomize finds a kustomization.
func isKustomization(path string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
}

// secret matches the kind of a Secret in a file, also where one is only referred to.
var secret = regexp.MustCompile(`(?i)\bkind\b.{0,20}\bSecret\b`)

// ReadFile is how kustomize reads all files.
func (o *observer) ReadFile(path string) ([]byte, error) {
	if mayHang(path) {
		o.doNotKeep(path + " is no regular file")
	}
	content, err := o.disk.ReadFile(path)
	o.observe(callRead, path, answerOfRead(content, err))
	if err != nil {
		return content, err
	}
	if secret.Match(content) {
		o.doNotKeep(path + " is about a Secret")
	}
	if isKustomization(path) || o.kustomizations[path] {
		if reason := whyNotKept(content); reason != "" {
			o.doNotKeep(path + " " + reason)
		}
	}
	return content, nil
}

// other is the disk for all other calls. Rendering makes none, but to clone and to fetch.
func (o *observer) other() filesys.FileSystem {
	o.doNotKeep("kustomize does more than read files")
	return o.disk
}

func (o *observer) Create(path string) (filesys.File, error) { return o.other().Create(path) }
func (o *observer) Mkdir(path string) error                  { return o.other().Mkdir(path) }
func (o *observer) MkdirAll(path string) error               { return o.other().MkdirAll(path) }
func (o *observer) RemoveAll(path string) error              { return o.other().RemoveAll(path) }
func (o *observer) Open(path string) (filesys.File, error)   { return o.other().Open(path) }
func (o *observer) IsDir(path string) bool                   { return o.other().IsDir(path) }
func (o *observer) ReadDir(path string) ([]string, error)    { return o.other().ReadDir(path) }
func (o *observer) Exists(path string) bool                  { return o.other().Exists(path) }
func (o *observer) Glob(pattern string) ([]string, error)    { return o.other().Glob(pattern) }
func (o *observer) WriteFile(path string, content []byte) error {
	return o.other().WriteFile(path, content)
}
func (o *observer) Walk(path string, each filepath.WalkFunc) error { return o.other().Walk(path, each) }
