package backing

import "strings"

// splitImage returns the last element of an image's repository, and its tag:
// "postgresql" and "15.3" for ghcr.io/acme/postgresql:15.3@sha256:….
func splitImage(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndex(image, "/")+1:]
	repository, tag, _ = strings.Cut(image, ":")
	return repository, tag
}

// isBitnami reports whether an image is of those that have another entry point
// and other variables.
func isBitnami(image string) bool { return strings.Contains(image, "bitnami") }
