package cli

import (
	"path"
	"strings"
)

// defaultPorts are those of the schemes that kustomize takes.
var defaultPorts = map[string]string{"https": ":443", "http": ":80", "ssh": ":22"}

// remoteIdentity returns what a remote kustomization is, however its URL is written: the
// host, the repository and the directory in it. These do not count: the scheme, the user, a
// default port, the suffix .git, and what stands behind a question mark, such as a version.
// The URL is one of those that kustomize takes, of which some are not URLs by the standard:
// https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md
//
// It begins with two slashes, as no path of a Go module does.
func remoteIdentity(url string) string {
	url, _, _ = strings.Cut(strings.TrimPrefix(url, "git::"), "?")
	scheme, rest, hasScheme := strings.Cut(url, "://")
	scheme = strings.ToLower(scheme)
	if !hasScheme {
		scheme, rest = "", url
	}
	host, dir := splitHost(rest, hasScheme)
	if scheme == "file" {
		host, dir = "", rest
	}
	host = strings.TrimSuffix(strings.ToLower(host), defaultPorts[scheme])
	return "//" + strings.TrimPrefix(path.Join(host, withoutGit(dir)), "/")
}

// splitHost splits a URL without its scheme into the host, without a user, and the path. If
// there was no scheme, a colon may stand between them, as in git@github.com:org/repo.
func splitHost(rest string, hasScheme bool) (host, dir string) {
	ends := "/:"
	if hasScheme {
		ends = "/"
	}
	first, _, _ := strings.Cut(rest, "/")
	rest = rest[strings.LastIndex(first, "@")+1:]
	if end := strings.IndexAny(rest, ends); end >= 0 {
		return rest[:end], rest[end+1:]
	}
	return rest, ""
}

// withoutGit returns a path of a repository and a directory in it, without the suffix of
// the repository. Two slashes or the suffix end the repository.
func withoutGit(dir string) string {
	if repository, inside, found := strings.Cut(dir, "//"); found {
		return strings.TrimSuffix(repository, ".git") + "/" + inside
	}
	if repository, inside, found := strings.Cut(dir, ".git/"); found {
		return repository + "/" + inside
	}
	return strings.TrimSuffix(dir, ".git")
}
