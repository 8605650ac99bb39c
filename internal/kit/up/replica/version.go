package replica

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/workload"
)

// Version is what a workload is to run: its manifest and its executables.
type Version struct {
	Plan        *workload.Plan
	Workload    *workload.Workload
	Content     string            // equal for versions that run alike, see [Version.same]
	Services    map[string]string // where Services are that run elsewhere
	Executables map[string]string // by import path
	Sources     map[string]string // directories of the main packages, by import path
	Built       time.Duration     // how long the last build of it took
	Since       time.Time         // when the change that led to it was noticed
}

// checkData refuses data that would not be in the image, as the build of an image
// does.
func (v *Version) checkData() error {
	for _, dir := range v.Sources {
		if _, err := program.FindData(dir); err != nil {
			return fmt.Errorf("%s: %w", v.Workload, err)
		}
	}
	return nil
}

// same reports whether two versions run alike: their manifests ask for the
// same, and their executables are equal byte for byte. A process of the one then
// need not be replaced by a process of the other. A nil version equals no other.
func (v *Version) same(other *Version) bool {
	return v != nil && other != nil && v.Content == other.Content
}

// data returns the directory that ko would put into the image of an import
// path as its data (https://ko.build/features/static-assets/).
func (v *Version) data(importPath string) string {
	if v.Sources[importPath] == "" {
		return ""
	}
	return filepath.Join(v.Sources[importPath], "kodata")
}
