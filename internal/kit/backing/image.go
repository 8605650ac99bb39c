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

// UsualPort returns the port on which the program of an image listens if nothing
// says otherwise, 0 if the image is not known here.
func UsualPort(image string) int32 {
	switch repository, _ := splitImage(image); repository {
	case "postgres", "postgresql":
		return postgresPort
	case "redis", "valkey":
		return redisPort
	case "nats":
		return natsPort
	}
	return 0
}

const postgresPort, redisPort, natsPort = 5432, 6379, 4222
