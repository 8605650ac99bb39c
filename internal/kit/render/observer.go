package render

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// question is what kustomize asks the file system.
type question struct{ Call, Path string }

// sight is a question with a short form of the answer.
type sight struct {
	Question question
	Answer   string
}

// observer remembers what kustomize asks the file system, and what that answers.
type observer struct {
	filesys.FileSystem
	seen map[question]string

	// kustomizations are the kustomization files, by the path at which they are read:
	// one may be a symbolic link.
	kustomizations map[string]bool

	// doubt says why the answers do not decide what is rendered; "" if they do.
	doubt string
}

func observe(files filesys.FileSystem) *observer {
	return &observer{FileSystem: files, seen: map[question]string{}, kustomizations: map[string]bool{}}
}

// The calls of a file system that kustomize makes to load files.
const (
	callRead    = "read"
	callClean   = "clean"
	callExists  = "exists"
	callIsDir   = "is-dir"
	callReadDir = "list"
	callGlob    = "glob"
)

// ask asks the question and returns the short form of the answer.
func ask(files filesys.FileSystem, q question) string {
	switch q.Call {
	case callRead:
		return answer(files.ReadFile(q.Path))
	case callClean:
		directory, file, err := files.CleanedAbs(q.Path)
		return answer([]byte(string(directory)+"\x00"+file), err)
	case callExists:
		return yesOrNo(files.Exists(q.Path))
	case callIsDir:
		return yesOrNo(files.IsDir(q.Path))
	case callReadDir:
		names, err := files.ReadDir(q.Path)
		return answer([]byte(strings.Join(names, "\x00")), err)
	case callGlob:
		names, err := files.Glob(q.Path)
		return answer([]byte(strings.Join(names, "\x00")), err)
	}
	return "unknown"
}

// answer is a hash: files may hold what is not to be copied.
func answer(content []byte, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// see remembers an answer. Two different ones to the same question leave a doubt.
func (o *observer) see(call, path, now string) {
	q := question{call, path}
	if before, asked := o.seen[q]; asked && before != now {
		o.hesitate("a file has changed")
	}
	o.seen[q] = now
	if isCopy(path) {
		o.hesitate("it has bases of other hosts")
	}
}

// isCopy reports whether a path is in a directory that kustomize makes for a base that it
// clones with git. The next time, that is another directory.
func isCopy(path string) bool {
	temporary, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		temporary = os.TempDir()
	}
	below, err := filepath.Rel(temporary, path)
	return err == nil && strings.HasPrefix(below, "kustomize-")
}

func (o *observer) hesitate(reason string) {
	if o.doubt == "" {
		o.doubt = reason
	}
}

// sights returns what was seen, in an order that is always the same.
func (o *observer) sights() []sight {
	all := make([]sight, 0, len(o.seen))
	for q, a := range o.seen {
		all = append(all, sight{q, a})
	}
	slices.SortFunc(all, func(a, b sight) int {
		return strings.Compare(a.Question.Call+" "+a.Question.Path, b.Question.Call+" "+b.Question.Path)
	})
	return all
}

func isKustomization(path string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
}

func (o *observer) ReadFile(path string) ([]byte, error) {
	content, err := o.FileSystem.ReadFile(path)
	o.see(callRead, path, answer(content, err))
	if err == nil && (isKustomization(path) || o.kustomizations[path]) {
		if reason := outside(content); reason != "" {
			o.hesitate(path + " " + reason)
		}
	}
	return content, err
}

// CleanedAbs is what kustomize asks first for most files.
func (o *observer) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	directory, file, err := o.FileSystem.CleanedAbs(path)
	o.see(callClean, path, answer([]byte(string(directory)+"\x00"+file), err))
	if err == nil && isKustomization(path) {
		o.kustomizations[directory.Join(file)] = true
	}
	return directory, file, err
}

func (o *observer) Exists(path string) bool {
	exists := o.FileSystem.Exists(path)
	o.see(callExists, path, yesOrNo(exists))
	return exists
}

func (o *observer) IsDir(path string) bool {
	isDir := o.FileSystem.IsDir(path)
	o.see(callIsDir, path, yesOrNo(isDir))
	return isDir
}

func (o *observer) ReadDir(path string) ([]string, error) {
	names, err := o.FileSystem.ReadDir(path)
	o.see(callReadDir, path, answer([]byte(strings.Join(names, "\x00")), err))
	return names, err
}

func (o *observer) Glob(pattern string) ([]string, error) {
	names, err := o.FileSystem.Glob(pattern)
	o.see(callGlob, pattern, answer([]byte(strings.Join(names, "\x00")), err))
	return names, err
}

// Open is not observed: what is read of the file is not known.
func (o *observer) Open(path string) (filesys.File, error) {
	o.hesitate(path + " is opened")
	return o.FileSystem.Open(path)
}

// Walk is not observed, for the same reason.
func (o *observer) Walk(path string, each filepath.WalkFunc) error {
	o.hesitate(path + " is walked through")
	return o.FileSystem.Walk(path, each)
}
