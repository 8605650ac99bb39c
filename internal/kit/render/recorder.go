package render

import (
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// recorder remembers which files and directories were asked for, those that are
// missing included: they may come.
type recorder struct {
	filesys.FileSystem
	read map[string]bool
}

func (r *recorder) record(path string) {
	if absolute, err := filepath.Abs(path); err == nil {
		r.read[absolute] = true
	}
}

func (r *recorder) ReadFile(path string) ([]byte, error) {
	r.record(path)
	return r.FileSystem.ReadFile(path)
}

// CleanedAbs is what kustomize asks first for most files.
func (r *recorder) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	r.record(path)
	return r.FileSystem.CleanedAbs(path)
}
