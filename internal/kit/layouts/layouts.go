// Package layouts has repositories laid out as other people have them, and says
// of each what its programs are when they are built. Its tests, and the suite on
// a node, compare that with what the commands of the kit make of them.
//
// A layout is a file of testdata in the format txtar. Before its files stand
// lines of a key and a value:
//
//	cd DIR                      where the commands run; everything else is relative to it, but for names of files
//	kustomization DIR           what -k takes; DIR is made, with a Deployment and a Service for each program, if no file is in it
//	env NAME=VALUE              the environment of the commands
//	flags COLUMN FLAG           one more flag of a command
//	link NAME TARGET            a symbolic link
//	crlf FILE                   the lines of this file end as on Windows
//	git DIR                     DIR is a repository with one commit, on branch trunk with tag v1.2.3
//	needs PROGRAM               the layout is left out where PROGRAM is not on PATH
//	hides PROGRAM               the commands do not find PROGRAM
//	reload                      the layout is one for `ko reload`, too
//	program IMPORTPATH [DIR]    a program; DIR is how people name it instead, written ./DIR
//	image NAME                  of the program above; otherwise the last element of its import path
//	service NAME                leads to the program above; otherwise called as the image
//	says TEXT                   what the program above says
//	file NAME                   a file that the program above is made of
//	fails TEXT                  instead: what the error of every command has
//	except COLUMN fails TEXT    the column has an error of its own
//	except COLUMN works         the column has no error
//	prints COLUMN TEXT          the command of the column also prints this
//
// The columns are resolve, up, deps and reload.
package layouts

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// Layout is a repository, and what is right for it.
type Layout struct {
	Name          string
	Dir           string // where the commands run, relative to where the layout is written
	Kustomization string // relative to Dir
	Env           []string
	Flags         map[string][]string // by column
	Needs, Hides  []string
	Reload        bool
	Programs      []*Program
	Prints        map[string][]string // by column

	fails      []string
	exceptions map[string][]string // empty for a column that works
	links      [][2]string
	crlf       []string
	git        []string
	files      []txtar.File
}

// Program is one that a layout's kustomization refers to.
type Program struct {
	ImportPath string
	Dir        string // relative to the layout's; "" if it is known by import path only
	Image      string
	Service    string
	Says       string
	Files      []string // relative to where the layout is written
}

//go:embed testdata
var testdata embed.FS

// All returns the layouts, sorted by name.
func All() ([]*Layout, error) {
	entries, err := testdata.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var all []*Layout
	for _, entry := range entries {
		content, err := testdata.ReadFile("testdata/" + entry.Name())
		if err != nil {
			return nil, err
		}
		layout, err := parse(strings.TrimSuffix(entry.Name(), ".txtar"), content)
		if err != nil {
			return nil, fmt.Errorf("testdata/%s: %w", entry.Name(), err)
		}
		all = append(all, layout)
	}
	return all, nil
}

// Fails returns what the error of a column's command has; none if it works.
func (l *Layout) Fails(column string) []string {
	if own, found := l.exceptions[column]; found {
		return own
	}
	return l.fails
}

// Names returns how people name the program.
func (p *Program) Names() []string {
	names := []string{p.ImportPath, "ko://" + p.ImportPath}
	if p.Dir != "" {
		names = append(names, p.Path())
	}
	return names
}

// Path returns the program's directory as the go tool takes it: ./cmd/app.
func (p *Program) Path() string {
	if p.Dir == "." || strings.HasPrefix(p.Dir, "../") {
		return p.Dir
	}
	return "./" + p.Dir
}

func parse(name string, content []byte) (*Layout, error) {
	archive := txtar.Parse(content)
	l := &Layout{
		Name: name, Kustomization: "config", files: archive.Files,
		Flags: map[string][]string{}, Prints: map[string][]string{}, exceptions: map[string][]string{},
	}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if err := l.set(key, value); err != nil {
			return nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
	}
	return l, l.check()
}

func (l *Layout) set(key, value string) error {
	first, rest, _ := strings.Cut(value, " ")
	switch key {
	case "cd":
		l.Dir = value
	case "kustomization":
		l.Kustomization = value
	case "env":
		l.Env = append(l.Env, value)
	case "flags":
		l.Flags[first] = append(l.Flags[first], rest)
	case "link":
		l.links = append(l.links, [2]string{first, rest})
	case "crlf":
		l.crlf = append(l.crlf, value)
	case "git":
		l.git = append(l.git, value)
	case "needs":
		l.Needs = append(l.Needs, value)
	case "hides":
		l.Hides = append(l.Hides, value)
	case "reload":
		l.Reload = true
	case "program":
		l.Programs = append(l.Programs, &Program{ImportPath: first, Dir: rest, Image: path.Base(first), Service: path.Base(first)})
	case "fails":
		l.fails = append(l.fails, value)
	case "except":
		return l.except(first, rest)
	case "prints":
		l.Prints[first] = append(l.Prints[first], rest)
	default:
		return l.setProgram(key, value)
	}
	return nil
}

func (l *Layout) setProgram(key, value string) error {
	if len(l.Programs) == 0 {
		return fmt.Errorf("no program stands above it")
	}
	p := l.Programs[len(l.Programs)-1]
	switch key {
	case "image":
		p.Image, p.Service = value, value
	case "service":
		p.Service = value
	case "says":
		p.Says = value
	case "file":
		p.Files = append(p.Files, value)
	default:
		return fmt.Errorf("there is no key %s", key)
	}
	return nil
}

func (l *Layout) except(column, verdict string) error {
	text, fails := strings.CutPrefix(verdict, "fails ")
	if !fails && verdict != "works" {
		return fmt.Errorf("expected `works` or `fails TEXT` after the column")
	}
	l.exceptions[column] = slices.Clip(l.exceptions[column])
	if fails {
		l.exceptions[column] = append(l.exceptions[column], text)
	}
	return nil
}

// check refuses a layout that would compare nothing.
func (l *Layout) check() error {
	if len(l.Programs) == 0 {
		return fmt.Errorf("it names no program")
	}
	for _, p := range l.Programs {
		if len(l.fails) == 0 && (p.Says == "" || len(p.Files) == 0) {
			return fmt.Errorf("program %s: it needs what it says and a file that it is made of", p.ImportPath)
		}
	}
	return nil
}
