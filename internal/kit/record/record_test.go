package record_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// change is a way in which what an image is made of can change.
type change struct {
	make   func(p *place)
	before func(p *place) // makes ready, before the image is recorded
	reason string         // what is said of it; "" if the image stays the same
	// isSame is set if a build makes the same image, though what it is made of counts as
	// changed: it is built once without need.
	isSame bool
}

func edit(name, old, new string) func(*place) {
	return func(p *place) { p.replace(name, old, new) }
}

func create(name, text string) func(*place) { return func(p *place) { p.write(name, text) } }

func setenv(name, value string) func(*place) { return func(p *place) { p.Setenv(name, value) } }

var changes = map[string]change{
	"nothing":                      {make: func(*place) {}},
	"a line of the program":        {make: edit("app/web/main.go", "hello", "hullo"), reason: "web/main.go changed"},
	"a line of a package":          {make: edit("app/lib/lib.go", `"lib"`, `"bil"`), reason: "lib/lib.go changed"},
	"a file of a replaced module":  {make: edit("replaced/replaced.go", `"replaced"`, `"r"`), reason: "example.com/replaced/replaced.go changed"},
	"a file of a replaced version": {make: edit("vendored/vendored.go", `"vendored"`, `"v"`), reason: "example.com/vendored/vendored.go changed"},
	"a new file of a package":      {make: create("app/lib/more.go", "package lib\n\nfunc init() { Name = \"more\" }\n"), reason: "lib/more.go is new"},
	"a file that another tag has":  {make: edit("app/web/loud.go", `"loud"`, `"louder"`)},
	"a build tag in a file":        {make: edit("app/web/tag.go", "!loud", "!quiet"), reason: "web/tag.go changed"},
	"a test":                       {make: edit("app/lib/lib_test.go", "package lib\n", "package lib\n\nvar x = 1\n")},
	"a new test":                   {make: create("app/lib/new_test.go", "package lib\n")},
	"a package that is not used":   {make: edit("app/unused/unused.go", "package unused\n", "package unused\n\nvar x = 1\n")},
	"a text beside the code":       {make: create("app/web/NOTES", "notes\n")},
	"an embedded file":             {make: edit("app/web/site/index.html", "hello", "hullo"), reason: "web/site/index.html changed"},
	"a new embedded file":          {make: create("app/web/site/new.html", "new\n"), reason: "web/site/new.html is new"},
	"a hidden file of a pattern":   {make: create("app/web/site/sub/.hidden", "new\n"), before: create("app/web/site/sub/a.html", "a\n")},
	"a data file":                  {make: edit("app/web/kodata/index.html", "data", "more data"), reason: "kodata/index.html changed"},
	"a new data file":              {make: create("app/web/kodata/sub/new.html", "new\n"), reason: "kodata/sub/ is new, and 1 more"},
	"an empty data directory":      {make: func(p *place) { must(p, os.Mkdir(p.path("app/web/kodata/empty"), 0o755)) }, reason: "kodata/empty/ is new"},
	"an empty profile":             {make: create("app/web/default.pgo", ""), reason: "web/default.pgo is new"},
	"go.mod":                       {make: edit("app/go.mod", "go 1.26\n", "go 1.26\n\ngodebug panicnil=1\n"), reason: "go.mod changed"},
	"go.mod of a replaced module":  {make: edit("replaced/go.mod", "go 1.26\n", "go 1.25\n"), reason: "example.com/replaced/go.mod changed", isSame: true},
	"another directory replaces":   {make: useOther, reason: "example.com/replaced changed, and 2 more"},
	"a workspace":                  {make: create("go.work", "go 1.26\n\nuse ./app\n"), reason: "app/go.mod is new, and 3 more"},
	"a vendor directory":           {make: vendor, reason: "vendor/modules.txt is new", isSame: true},
	"a flag":                       {make: create("app/.ko.yaml", "defaultFlags: [-buildvcs=false, -trimpath, -tags=loud]\n"), reason: "flags changed"},
	"a template in a flag":         {make: setenv("WHO", "ada"), before: greetsWho, reason: "flags changed"},
	"GOFLAGS":                      {make: setenv("GOFLAGS", "-tags=loud"), reason: "GOFLAGS changed"},
	"GOARCH's version":             {make: setenv("GOAMD64", "v2"), reason: "GOAMD64 changed from v1 to v2"},
	"another variable":             {make: setenv("UNRELATED", "yes")},
	"another cache":                {make: func(p *place) { p.Setenv("GOTMPDIR", p.TempDir()) }},
	"the same bytes again":         {make: edit("app/lib/lib.go", "lib", "lib")},
	"a build tag taken away":       {make: edit("app/lib/left_out.go", "//go:build never\n", ""), before: leaveOut("//go:build never\n\npackage lib\n"), reason: "lib/left_out.go is new"},
	"cgo taken away":               {make: edit("app/lib/left_out.go", "import \"C\"\n", ""), before: leaveOut("package lib\n\nimport \"C\"\n"), reason: "lib/left_out.go is new"},
	"a comment in a file left out": {make: edit("app/lib/left_out.go", "package", "// A comment.\npackage"), before: leaveOut("//go:build never\n\npackage lib\n")},
	"times":                        {make: touch},
	"a mode":                       {make: func(p *place) { must(p, os.Chmod(p.path("app/lib/lib.go"), 0o600)) }},
	"other bytes, size and time":   {make: sameSizeAndTime, reason: "lib/lib.go changed"},
	"a link instead of a file":     {make: link},
	"a link to another directory":  {make: relink, before: linkReplaced, reason: "example.com/replaced/replaced.go changed"},
	"a comment in the settings":    {make: edit("app/.ko.yaml", "defaultFlags", "# Flags.\ndefaultFlags")},
	"a commit":                     {make: commit, before: stamped, reason: "the commit changed"},
	"a file of the repository":     {make: create("app/README.md", "changed\n"), before: stamped, reason: "the commit changed"},
	"a tag":                        {make: func(p *place) { p.run("git", "tag", "app/v1.0.0") }, before: stamped, reason: "the commit changed", isSame: true},
	"a commit that is not stamped": {make: commit, before: repository},
}

func must(p *place, err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func useOther(p *place) {
	p.write("other/go.mod", "module example.com/replaced\n\ngo 1.26\n")
	p.write("other/replaced.go", "package replaced\n\nvar Name = \"other\"\n")
	p.replace("app/go.mod", "=> ../replaced", "=> ../other")
}

// leaveOut writes a file that is not compiled, which begins with a text.
func leaveOut(begin string) func(*place) {
	return func(p *place) { p.write("app/lib/left_out.go", begin+"\nfunc init() { Name += \"more\" }\n") }
}

func vendor(p *place) { p.run("go", "mod", "vendor") }

func greetsWho(p *place) {
	p.Setenv("WHO", "bob")
	p.write("app/.ko.yaml", "defaultFlags: [-buildvcs=false, -trimpath]\ndefaultLdflags: ['-X main.greeting={{.Env.WHO}}']\n")
}

func touch(p *place) {
	for _, name := range []string{"app/lib/lib.go", "app/go.mod", "app/web/site/index.html"} {
		must(p, os.Chtimes(p.path(name), time.Now(), time.Now().Add(-time.Hour)))
	}
}

func sameSizeAndTime(p *place) {
	info, err := os.Stat(p.path("app/lib/lib.go"))
	must(p, err)
	p.replace("app/lib/lib.go", `"lib"`, `"bil"`)
	must(p, os.Chtimes(p.path("app/lib/lib.go"), info.ModTime(), info.ModTime()))
}

// link moves a file, and leaves a link to it.
func link(p *place) {
	must(p, os.Rename(p.path("app/lib/lib.go"), p.path("app/elsewhere")))
	must(p, os.Symlink(filepath.FromSlash("../elsewhere"), p.path("app/lib/lib.go")))
}

func linkReplaced(p *place) {
	must(p, os.Rename(p.path("replaced"), p.path("first")))
	must(p, os.Symlink("first", p.path("replaced")))
}

func relink(p *place) {
	p.write("second/go.mod", "module example.com/replaced\n\ngo 1.26\n")
	p.write("second/replaced.go", "package replaced\n\nvar Name = \"second\"\n")
	must(p, os.Remove(p.path("replaced")))
	must(p, os.Symlink("second", p.path("replaced")))
}

func repository(p *place) {
	p.run("git", "init", "--quiet", p.root)
	p.run("git", "add", p.root)
	p.run("git", "commit", "--quiet", "--message=first")
}

func stamped(p *place) {
	p.write("app/.ko.yaml", "defaultFlags: [-trimpath, -buildvcs=true]\n")
	repository(p)
}

func commit(p *place) { p.run("git", "commit", "--quiet", "--allow-empty", "--message=second") }

// A path that leads to another Go now is not the same Go.
func TestGoBehindALink(t *testing.T) {
	p := newPlace(t)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	must(p, err)
	first := strings.TrimSpace(string(root))
	second := copyOfGo(p, first)
	link := filepath.Join(t.TempDir(), "go")
	must(p, os.Symlink(filepath.Join(first, "bin", "go"), link))
	t.Setenv("KO_GO_PATH", link)
	former := p.mustRecord()
	if !holds(t.Context(), p, former) {
		t.Fatal("nothing has changed, and the record does not hold")
	}
	must(p, errors.Join(os.Remove(link), os.Symlink(filepath.Join(second, "bin", "go"), link)))
	if holds(t.Context(), p, former) {
		t.Error("there is another Go, and the record holds")
	}
}

// copyOfGo returns another directory with the same Go, in which only the go tool is a
// copy: it finds the rest beside itself.
func copyOfGo(p *place, root string) string {
	dir := p.TempDir()
	entries, err := os.ReadDir(root)
	must(p, err)
	for _, entry := range entries {
		if entry.Name() != "bin" {
			must(p, os.Symlink(filepath.Join(root, entry.Name()), filepath.Join(dir, entry.Name())))
		}
	}
	tool, err := os.ReadFile(filepath.Join(root, "bin", "go"))
	must(p, err)
	must(p, errors.Join(os.Mkdir(filepath.Join(dir, "bin"), 0o755), os.WriteFile(filepath.Join(dir, "bin", "go"), tool, 0o755)))
	return dir
}

// The image of the record is used again exactly if a build would make the same one.
func TestChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles a program for each change")
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if change.before != nil {
				change.before(p)
			}
			former, image := p.mustRecord(), p.image()
			if !holds(t.Context(), p, former) {
				t.Fatal("nothing has changed, and the record does not hold")
			}
			change.make(p)
			holds, now, isSame := holds(t.Context(), p, former), p.mustRecord(), p.image() == image
			if holds && !isSame {
				t.Error("the record holds, and the image is another one")
			}
			if got := now.Inputs.Hash() == former.Inputs.Hash(); got != (isSame && !change.isSame) {
				t.Errorf("the inputs are the same: %v, the images: %v", got, isSame)
			}
			reason := now.Inputs.Explain(former.Inputs)
			if want := change.reason; reason != want && (want == "" || len(reason) <= len(want) || reason[:len(want)] != want) {
				t.Errorf("the reason is %q, want %q", reason, want)
			}
		})
	}
}

// In a workspace, what replaces a module in the go.mod of any member counts.
func TestReplacementOfAnotherMember(t *testing.T) {
	p := newPlace(t)
	p.write("go.work", "go 1.26\n\nuse ./app\nuse ./member\n")
	p.write("member/go.mod", "module example.com/member\n\ngo 1.26\n\nreplace example.com/third => ../third\n")
	p.write("third/go.mod", "module example.com/third\n\ngo 1.26\n")
	r := p.mustRecord()
	if !holds(t.Context(), p, r) {
		t.Fatal("nothing has changed, and the record does not hold")
	}
	p.write("third/go.mod", "module example.com/third\n\ngo 1.25\n")
	if holds(t.Context(), p, r) {
		t.Error("the go.mod of a directory that replaces a module has changed, and the record holds")
	}
}

// The go tool has a file of settings beside its own files.
func TestSettingsOfTheGoTool(t *testing.T) {
	p := newPlace(t)
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	real, root := strings.TrimSpace(string(out)), t.TempDir()
	entries, err := os.ReadDir(real)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "go.env" {
			must(p, os.Symlink(filepath.Join(real, entry.Name()), filepath.Join(root, entry.Name())))
		}
	}
	const local = "GOTOOLCHAIN=local\nGOPROXY=off\nGOSUMDB=off\n"
	must(p, os.WriteFile(filepath.Join(root, "go.env"), []byte(local), 0o644))
	p.Setenv("GOROOT", root)
	p.Setenv("GOENV", "off")
	r := p.mustRecord()
	if !holds(t.Context(), p, r) {
		t.Fatal("nothing has changed, and the record does not hold")
	}
	must(p, os.WriteFile(filepath.Join(root, "go.env"), []byte(local+"GOFLAGS=-tags=loud\n"), 0o644))
	if holds(t.Context(), p, r) {
		t.Error("GOFLAGS has changed in go.env, and the record holds")
	}
}
