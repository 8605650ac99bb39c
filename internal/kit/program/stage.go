package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
	"golang.org/x/mod/modfile"
)

// StagedOptions returns what [Program.ImageOptions] does, for a program whose
// directory upstream would not read as the go tool does: links lead out of its data,
// or its files need a build tag. Upstream looks into scratch, an empty directory,
// instead: a module of the same name with a copy of the data. The go tool is told to
// compile in the real one. Scratch must live until the image is built.
func (p *Program) StagedOptions(ctx context.Context, recipe *Recipe, data Data, scratch string) (*options.BuildOptions, error) {
	if file := os.Getenv("GOWORK"); file != "" && file != "off" {
		return nil, fmt.Errorf("GOWORK=%s does not go together with links in kodata: unset it", file)
	}
	where, err := filepath.Abs(recipe.Dir)
	if err != nil {
		return nil, err
	}
	if err := p.stage(data.Dir, scratch); err != nil {
		return nil, fmt.Errorf("copying %s: %w", data.Dir, err)
	}
	opts := p.ImageOptions()
	opts.WorkingDirectory = scratch
	entry := opts.BuildConfigs[p.ImportPath]
	entry.Dir = "" // "-C" must be the first flag.
	if entry.Flags, err = recipe.fixGit(ctx, append([]string{"-C", where}, entry.Flags...)); err != nil {
		return nil, err
	}
	if entry.Ldflags, err = recipe.fixGit(ctx, entry.Ldflags); err != nil {
		return nil, err
	}
	opts.BuildConfigs = map[string]build.Config{p.ImportPath: entry}
	return opts, nil
}

// CheckCache refuses a KOCACHE that upstream and the go tool would look for in
// different directories.
func (r *Recipe) CheckCache(staged bool) error {
	cache := os.Getenv("KOCACHE")
	if cache == "" || filepath.IsAbs(cache) || r.Dir == "." && !staged {
		return nil
	}
	return fmt.Errorf("KOCACHE=%s is relative, and the program is compiled in another directory: make it absolute", cache)
}

// fixGit fills in the templates that ask for the repository, which is not where
// upstream would look for it.
func (r *Recipe) fixGit(ctx context.Context, templates []string) ([]string, error) {
	fixed := make([]string, len(templates))
	for i, text := range templates {
		fixed[i] = text
		if !strings.Contains(text, ".Git.") {
			continue
		}
		expanded, err := r.expand(ctx, []string{text})
		if err != nil {
			return nil, fmt.Errorf("the build flags of .ko.yaml: %w", err)
		}
		fixed[i] = strings.ReplaceAll(expanded[0], "{{", `{{"{{"}}`)
	}
	return fixed, nil
}

// stage writes a module in which upstream finds the program by its import path,
// and a copy of its data beside it, if there is any.
func (p *Program) stage(data, scratch string) error {
	err := errors.Join(
		os.WriteFile(filepath.Join(scratch, goMod), []byte("module "+modfile.AutoQuote(p.ImportPath)+"\n"), 0o644),
		os.WriteFile(filepath.Join(scratch, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644),
	)
	if err != nil || data == "" {
		return err
	}
	return copyTree(data, filepath.Join(scratch, dataDir))
}

// copyTree copies a directory. Where it has links, the copy has what they lead to.
func copyTree(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, entry := range entries {
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		copyOne := copyFile
		if info.IsDir() {
			copyOne = copyTree
		}
		if err := copyOne(source, target); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
