package layouts

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/tools/txtar"
)

// parse reads a layout in the format that the comment of the package describes.
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

// set takes in one line.
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

// setProgram takes in a line about the last program.
func (l *Layout) setProgram(key, value string) error {
	if len(l.Programs) == 0 {
		return errors.New("no program stands above it")
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

// except gives a column a verdict of its own.
func (l *Layout) except(column, verdict string) error {
	text, fails := strings.CutPrefix(verdict, "fails ")
	if !fails && verdict != "works" {
		return errors.New("expected `works` or `fails TEXT` after the column")
	}
	if !fails {
		l.exceptions[column] = nil
		return nil
	}
	l.exceptions[column] = append(l.exceptions[column], text)
	return nil
}

// check refuses a layout that would compare nothing.
func (l *Layout) check() error {
	if len(l.Programs) == 0 {
		return errors.New("it names no program")
	}
	for _, p := range l.Programs {
		if len(l.fails) == 0 && (p.Says == "" || len(p.Files) == 0) {
			return fmt.Errorf("program %s: it needs what it says and a file that it is made of", p.ImportPath)
		}
	}
	return nil
}
