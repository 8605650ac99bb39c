// Package koyaml says where in upstream's configuration file, .ko.yaml, a mistake
// is: upstream names neither the file nor, for most mistakes, the line.
package koyaml

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// File returns the configuration file that upstream reads in a working directory:
// the one that KO_CONFIG_PATH names, or .ko.yaml there, which need not exist, or
// one of the other formats that upstream knows.
func File(workingDirectory string) string {
	path := os.Getenv("KO_CONFIG_PATH")
	if path == "" {
		return inDirectory(workingDirectory)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, ".ko.yaml")
	}
	return path
}

// inDirectory returns the first file that is there, in upstream's order.
func inDirectory(dir string) string {
	for _, extension := range []string{"json", "toml", "yaml", "yml"} {
		file := filepath.Join(dir, ".ko."+extension)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return filepath.Join(dir, ".ko.yaml")
}

// Explain adds the file, and the line as far as it is known, to an error of
// upstream's LoadConfig in that working directory.
func Explain(workingDirectory string, err error) error {
	file := File(workingDirectory)
	content, unread := os.ReadFile(file)
	if unread != nil && os.Getenv("KO_CONFIG_PATH") != "" {
		return fmt.Errorf("reading the build configuration that KO_CONFIG_PATH names: %w", unread)
	}
	if os.Getenv("KO_DEFAULTBASEIMAGE") != "" && strings.HasPrefix(err.Error(), "'defaultBaseImage'") {
		return fmt.Errorf("KO_DEFAULTBASEIMAGE: %w", err) // It wins over the file.
	}
	text := plain.Replace(err.Error())
	if line := findLine(content, text, workingDirectory); line > 0 {
		return fmt.Errorf("%s:%d: %s", file, line, item.ReplaceAllString(syntax.ReplaceAllString(text, ""), "entry $1"))
	}
	return fmt.Errorf("%s: %s", file, text)
}

// plain leaves out what only a reader of the libraries understands.
var plain = strings.NewReplacer(
	"error reading config file: ", "",
	"While parsing config: ", "",
	"could not create build config map: ", "builds: ",
	"configuration section 'builds' cannot be parsed: decoding failed due to the following error(s):\n\n", "builds: ",
	"unconvertible type 'map[string]interface {}'", "a mapping",
	"unconvertible type '[]interface {}'", "a list",
	"map[string]interface {}", "a mapping",
	"a map or struct", "a mapping",
)

var (
	// syntax begins what the YAML parser says.
	syntax = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s+)?(?:line (\d+): )?`)
	// item is how the decoder names an entry of a list.
	item = regexp.MustCompile(`'\[(\d+)\]'`)
	// entry is a place in builds: "'[0].flags" or "'builds': entry #0".
	entry = regexp.MustCompile(`'(?:builds)?\[(\d+)\](?:\.(\w+))?|entry #(\d+)`)
	// absent is a directory or a file of builds that is not there.
	absent = regexp.MustCompile(`stat (.+): [^:]+$`)
	// section is the field of the file that a text begins with.
	section = regexp.MustCompile(`^'?(defaultBaseImage|baseImageOverrides|builds)'?: `)
)

// findLine returns the line that a text of upstream's is about, or 0.
func findLine(content []byte, text, workingDirectory string) int {
	if found := syntax.FindStringSubmatch(text); found != nil {
		line, _ := strconv.Atoi(found[1]) // 0 where there is none.
		return line
	}
	var document yaml.Node
	if yaml.Unmarshal(content, &document) != nil || len(document.Content) == 0 {
		return 0
	}
	root := document.Content[0]
	_, builds := field(root, "builds")
	if found := absent.FindStringSubmatch(text); found != nil {
		return absentLine(builds, workingDirectory, found[1])
	}
	if found := entry.FindStringSubmatch(text); found != nil {
		index, _ := strconv.Atoi(found[1] + found[3]) // One of them is there.
		if builds != nil && builds.Kind == yaml.SequenceNode && index < len(builds.Content) {
			build := builds.Content[index]
			if key, _ := field(build, found[2]); key != nil {
				return key.Line
			}
			return build.Line
		}
	}
	if found := section.FindStringSubmatch(text); found != nil {
		if key, _ := field(root, found[1]); key != nil {
			return key.Line
		}
	}
	return 0
}

// absentLine returns the line of the entry whose dir and main lead to a path, or 0.
func absentLine(builds *yaml.Node, workingDirectory, path string) int {
	if builds == nil {
		return 0
	}
	for _, build := range builds.Content {
		line, parts := build.Line, []string{workingDirectory}
		for _, name := range []string{"dir", "main"} {
			if key, value := field(build, name); key != nil {
				line, parts = key.Line, append(parts, value.Value)
				if _, err := os.Stat(filepath.Join(parts...)); err != nil {
					break
				}
			}
		}
		if full := filepath.Join(parts...); full == filepath.Clean(path) || strings.HasPrefix(filepath.Clean(path), full+string(filepath.Separator)) {
			return line
		}
	}
	return 0
}

// field returns a field of a mapping, whose name upstream reads in any case.
func field(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; mapping.Kind == yaml.MappingNode && i+1 < len(mapping.Content); i += 2 {
		if strings.EqualFold(mapping.Content[i].Value, name) {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}
