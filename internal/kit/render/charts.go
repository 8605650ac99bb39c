package render

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// chartFiles returns the files of the local charts that kustomizations among
// these files name. Helm reads them, so that the recorder does not see them. A
// chart that is not there yet is its directory, which may come.
func chartFiles(read []string) []string {
	var files []string
	for _, path := range read {
		if !isKustomization(path) {
			continue
		}
		for _, chart := range charts(path) {
			files = append(files, chart)
			filepath.WalkDir(chart, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					files = append(files, path)
				}
				return nil // What cannot be read, helm reports.
			})
		}
	}
	return files
}

// charts returns the directories of the charts that a kustomization file names.
// One that cannot be read names none: kustomize reports it.
func charts(file string) []string {
	var kustomization types.Kustomization
	content, err := os.ReadFile(file)
	if err != nil || yaml.Unmarshal(content, &kustomization) != nil {
		return nil
	}
	home := types.HelmDefaultHome
	if kustomization.HelmGlobals != nil {
		home = cmp.Or(kustomization.HelmGlobals.ChartHome, home)
	}
	if !filepath.IsAbs(home) {
		home = filepath.Join(filepath.Dir(file), home)
	}
	var dirs []string
	for _, chart := range kustomization.HelmCharts {
		in := home
		if chart.Version != "" && chart.Repo != "" { // Where kustomize unpacks what it fetches.
			in = filepath.Join(home, chart.Name+"-"+chart.Version)
		}
		dirs = append(dirs, filepath.Join(in, chart.Name))
	}
	return dirs
}
