package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// useAdvertising makes a cluster the one in use that advertises a registry by this
// content, and returns the address of its API server.
func useAdvertising(t *testing.T, content string) string {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	server := apiServer(t, map[string]string{
		"/api/v1/namespaces/kube-public/configmaps/local-registry-hosting": `{"kind": "ConfigMap", "apiVersion": "v1",
			"metadata": {"name": "local-registry-hosting", "namespace": "kube-public"}, "data": {"localRegistryHosting.v1": ` + string(text) + `}}`,
	})
	useCluster(t, server, "valid", "", true)
	return server.URL
}

// Without KO_DOCKER_REPO, images go to the registry that the cluster advertises, and the
// manifests have the name that its nodes know.
func TestRegistryOfTheCluster(t *testing.T) {
	host := kittest.UseRegistry(t)
	t.Setenv("KO_DOCKER_REPO", "")
	server := useAdvertising(t, "host: "+host+"\nhostFromContainerRuntime: registry:5000\n")
	t.Chdir(guestbook)
	stdout, stderr, err := ko(t, "resolve", "-k", "config/overlays/prod")
	if err != nil {
		t.Fatal(err)
	}
	line := "KO_DOCKER_REPO is not set: images are pushed to " + host + ", which " + server + " advertises, and pulled from registry:5000\n"
	if strings.Count(stderr, line) != 1 {
		t.Errorf("it does not say once %q:\n%s", line, stderr)
	}
	if strings.Contains(stdout, host) {
		t.Errorf("the manifests name %s:\n%s", host, stdout)
	}
	for command, uses := range map[string]int{"web": 2, "worker": 4} {
		images := regexp.MustCompile(`registry:5000/`+command+`@(sha256:[0-9a-f]{64})`).FindAllStringSubmatch(stdout, -1)
		if len(images) != uses {
			t.Fatalf("%d uses of %s, want %d, in:\n%s", len(images), command, uses, stdout)
		}
		ref, err := name.ParseReference(host + "/" + command + "@" + images[0][1])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Head(ref); err != nil {
			t.Errorf("%s is not in the registry: %v", ref, err)
		}
	}
}

// KO_DOCKER_REPO wins, and the cluster is not asked: this one would refuse to say.
func TestRegistryOfTheEnvironmentWins(t *testing.T) {
	host := kittest.UseRegistry(t)
	t.Setenv("KO_DOCKER_REPO", host+"/team")
	useCluster(t, apiServer(t), "forbidden", "", true)
	t.Chdir(guestbook)
	stdout, stderr, err := ko(t, "resolve", "-k", "config/overlays/prod", "-l", "app=worker")
	if err != nil || !strings.Contains(stdout, host+"/team/worker@sha256:") || strings.Contains(stderr, "KO_DOCKER_REPO") {
		t.Errorf("error %v, stderr:\n%s\nstdout:\n%s", err, stderr, stdout)
	}
}

// The page that a cluster names helps with a registry that takes no image.
func TestRegistryOfTheClusterIsDown(t *testing.T) {
	kittest.UseRegistry(t)
	t.Setenv("KO_DOCKER_REPO", "")
	closed := closedPort(t)
	server := useAdvertising(t, "host: "+closed+"\nhelp: https://example.com/help\n")
	t.Chdir(guestbook)
	_, _, err := ko(t, "resolve", "-k", "config/overlays/prod", "-l", "app=worker")
	for _, want := range []string{"publishing ko://example.com/guestbook/cmd/worker to " + closed, "connection refused",
		closed + ", which " + server + " advertises, has to be reachable from here: see https://example.com/help"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
