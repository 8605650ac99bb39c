package image

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// closure returns the packages and everything they depend on, but neither those in
// without nor what only those need.
func closure(ctx context.Context, packages, without []string) ([]string, error) {
	seen := map[string]bool{}
	for _, name := range without {
		seen[name] = true
	}
	var all []string
	for queue := slices.Clone(packages); len(queue) > 0; {
		wave := slices.DeleteFunc(queue, func(name string) bool { return seen[name] || name == "" })
		slices.Sort(wave)
		wave = slices.Compact(wave)
		if len(wave) == 0 {
			break
		}
		for _, name := range wave {
			seen[name] = true
		}
		all = append(all, wave...)
		// --important: no recommendations, no suggestions.
		out, err := output(ctx, "", "apt-cache", append([]string{"depends", "--important"}, wave...)...)
		if err != nil {
			return nil, fmt.Errorf("%w (run apt-get update; Debian 12 has every package)", err)
		}
		queue = dependencies(out)
	}
	slices.Sort(all)
	return all, nil
}

// dependencies reads what `apt-cache depends` prints. Of alternatives, all but the last
// marked "|", it takes the first that is a package: names in angle brackets are virtual.
func dependencies(printed string) (names []string) {
	met := false
	for line := range strings.Lines(printed) {
		kind, name, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found {
			continue
		}
		kind, more := strings.CutPrefix(kind, "|")
		if (kind == "Depends" || kind == "PreDepends") && !met && !strings.HasPrefix(name, "<") {
			names = append(names, name)
			met = true
		}
		met = met && more
	}
	return names
}

// unpack downloads the packages into debs and unpacks them into root. apt checks their signatures.
func unpack(ctx context.Context, debs, root string, packages []string) error {
	// The downloader's own user may not write to a directory of root's.
	args := append([]string{"-qq", "-o", "APT::Sandbox::User=root", "download"}, packages...)
	if _, err := output(ctx, debs, "apt-get", args...); err != nil {
		return fmt.Errorf("%w (run apt-get update)", err)
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := output(ctx, debs, "dpkg-deb", "--extract", file, root); err != nil {
			return err
		}
	}
	return nil
}
