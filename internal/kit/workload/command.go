package workload

import (
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
)

// entrypointDir is where ko puts the program of an image.
const entrypointDir = "/ko-app"

// IsProgram reports whether word calls the program of an import path: by its
// path in the image, or by its name, which is on the image's PATH.
func IsProgram(word, importPath string) bool {
	name := path.Base(importPath)
	return word == name || word == path.Join(entrypointDir, name)
}

// Arguments returns the arguments of a container's program, in which its
// command has a part.
func (w *Workload) Arguments(c corev1.Container) ([]string, error) {
	if len(c.Command) == 0 {
		return c.Args, nil
	}
	built := ImportPath(c.Image)
	if !IsProgram(c.Command[0], built) {
		return nil, fmt.Errorf("%s: container %s: command %s cannot be run, as there is no image here: it must be %s or left out",
			w, c.Name, c.Command[0], path.Join(entrypointDir, path.Base(built)))
	}
	return append(c.Command[1:len(c.Command):len(c.Command)], c.Args...), nil
}
