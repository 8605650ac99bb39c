package record

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/program"
)

// findFlags adds the flags of the compilation, templates filled in, and the files that
// they name.
func (f *finder) findFlags(ctx context.Context) error {
	args, err := f.recipe.BuildArgs(ctx)
	if err != nil {
		return err
	}
	f.add(Setting, "flags", strings.Join(args, " "))
	f.flags = append(program.SplitFlags(f.env["GOFLAGS"]), args...)
	for i, flag := range f.flags {
		name, value, isInline := strings.Cut(flag, "=")
		if !strings.HasPrefix(name, "-") {
			continue
		}
		if !isInline && i+1 < len(f.flags) {
			value = f.flags[i+1]
		}
		if err := f.addFlag(strings.TrimLeft(name, "-"), value); err != nil {
			return err
		}
	}
	if !f.trimsPaths() {
		for _, name := range []string{"GOROOT", "GOMODCACHE"} {
			f.add(Setting, name, f.env[name])
		}
		f.add(Setting, "directory", f.dir)
	}
	return nil
}

// addFlag adds the file that a flag names. It refuses a flag that brings in files which
// go list does not name.
func (f *finder) addFlag(name, value string) error {
	bringsIn := map[string][]string{
		"ldflags": {"ext", "linkmode"}, "asmflags": {"I"}, "gcflags": {"embedcfg", "importcfg", "pgoprofile"},
	}
	switch name {
	case "overlay", "modfile", "pkgdir", "linkshared", "compiler", "gccgoflags", "installsuffix", "C":
		return unknown("it is compiled with -%s", name)
	case "mod":
		if value == "mod" {
			return unknown("it is compiled with -mod=mod")
		}
	case "pgo":
		if value != "auto" && value != "off" && value != "" {
			f.addFile(File, "profile of -pgo", f.absolute(value))
		}
	}
	for word := range strings.FieldsSeq(value) {
		for _, begin := range bringsIn[name] {
			if flag, ok := flagIn(word); ok && strings.HasPrefix(flag, begin) {
				return unknown("it is compiled with -%s, in which -%s may bring in other files", name, flag)
			}
		}
	}
	return nil
}

// flagIn returns the flag of the compiler or the linker that a word begins, without
// quotes, dashes and the pattern of packages that it is for (see `go help build`).
func flagIn(word string) (flag string, ok bool) {
	word = strings.TrimLeft(word, `"'`)
	if pattern, rest, found := strings.Cut(word, "=-"); found && !strings.HasPrefix(pattern, "-") {
		word = "-" + rest
	}
	return strings.Trim(word, `-"'`), strings.HasPrefix(word, "-")
}

func (f *finder) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.dir, path)
}

// bearing are the variables of the go tool that bear on an executable; see `go help
// environment`. Those that say where something is are not among them, since its content
// is looked at. Those of C are not either, since C is not compiled.
var bearing = []string{
	"GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
	"GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GODEBUG", "GO111MODULE", "GOVERSION", "CGO_ENABLED", "GO_EXTLINK_ENABLED",
}

// locations are variables that say where something is.
var locations = []string{"GOROOT", "GOTOOLDIR", "GOENV", "GOMODCACHE", "GOWORK"}

// findToolchain adds the go tool, which may be another one for each go.mod, and its
// variables.
func (f *finder) findToolchain(ctx context.Context) error {
	cmd := f.recipe.GoTool(ctx, append([]string{"env", "-json"}, slices.Concat(bearing, locations)...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := f.look.run(cmd); err != nil {
		return fmt.Errorf("go env: %w: %s", err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &f.env); err != nil {
		return fmt.Errorf("reading what `go env` says: %w", err)
	}
	f.add(Toolchain, "Go", f.env["GOVERSION"])
	for _, name := range bearing {
		if name != "GOVERSION" {
			f.add(Setting, name, f.env[name])
		}
	}
	f.snapshot.note(f.look, content, f.env["GOENV"])
	f.snapshot.note(f.look, stats, filepath.Join(f.env["GOROOT"], "VERSION"))
	f.addTool("go", cmd.Path)
	for _, name := range []string{"compile", "link", "asm"} {
		f.addTool(name, filepath.Join(f.env["GOTOOLDIR"], name)+filepath.Ext(cmd.Path))
	}
	return nil
}

// addTool adds a program of Go's by its content: there are others of the same version.
func (f *finder) addTool(name, path string) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f.snapshot.note(f.look, stats, path)
	f.add(Toolchain, name, f.look.at(content, path))
}

// trimsPaths reports whether an executable has no paths of this machine.
func (f *finder) trimsPaths() bool {
	trims := false
	for _, flag := range f.flags {
		switch strings.TrimLeft(flag, "-") {
		case "trimpath", "trimpath=true", "trimpath=1":
			trims = true
		case "trimpath=false", "trimpath=0":
			trims = false
		}
	}
	return trims
}

// findRepository adds what the go tool puts into the executable about the commit.
func (f *finder) findRepository(context.Context) error {
	stamps := true
	for _, flag := range f.flags {
		switch strings.TrimLeft(flag, "-") {
		case "buildvcs=false", "buildvcs=0":
			stamps = false
		case "buildvcs", "buildvcs=true", "buildvcs=auto", "buildvcs=1":
			stamps = true
		}
	}
	if !stamps {
		return nil
	}
	dir := f.packages.Command().Dir
	for at := range ancestors(dir) {
		for _, other := range []string{".hg", ".svn", ".bzr", ".fslckout", "_FOSSIL_"} {
			if f.snapshot.note(f.look, form, filepath.Join(at, other)) != absent {
				return unknown("%s is a repository of another tool than git: -buildvcs=false leaves it out", at)
			}
		}
		f.snapshot.note(f.look, form, filepath.Join(at, ".git"))
	}
	if repository := program.Repository(dir); repository != "" {
		f.add(Repository, "commit", f.snapshot.note(f.look, status, repository))
	}
	return nil
}

// ancestors are a directory and those above it.
func ancestors(dir string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := dir; yield(at) && at != filepath.Dir(at); at = filepath.Dir(at) {
		}
	}
}
