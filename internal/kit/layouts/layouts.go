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

// Names returns how people name the program; a shell completes the name of a
// directory with a slash.
func (p *Program) Names() []string {
	names := []string{p.ImportPath, "ko://" + p.ImportPath}
	if p.Dir != "" {
		names = append(names, p.Path(), p.Path()+"/")
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
