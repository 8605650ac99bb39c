package up

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/workload"
)

// version is what a workload is to run: its manifest and its executables.
type version struct {
	plan        *workload.Plan
	workload    *workload.Workload
	content     string            // equal for versions that run alike, see [version.same]
	services    map[string]string // where Services are that run elsewhere
	executables map[string]string // by import path
	sources     map[string]string // directories of the main packages, by import path
	built       time.Duration     // how long the last build of it took
	since       time.Time         // when the change that led to it was noticed
}

// checkData refuses data that would not be in the image, as the build of an image
// does.
func (v *version) checkData() error {
	for _, dir := range v.sources {
		if _, err := program.FindData(dir); err != nil {
			return fmt.Errorf("%s: %w", v.workload, err)
		}
	}
	return nil
}

// same reports whether two versions run alike: their manifests ask for the
// same, and their executables are equal byte for byte. A process of the one then
// need not be replaced by a process of the other. A nil version equals no other.
func (v *version) same(other *version) bool {
	return v != nil && other != nil && v.content == other.content
}

// data returns the directory that ko would put into the image of an import
// path as its data (https://ko.build/features/static-assets/).
func (v *version) data(importPath string) string {
	if v.sources[importPath] == "" {
		return ""
	}
	return filepath.Join(v.sources[importPath], "kodata")
}
