package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/commands/options"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/registry"
	"github.com/koshop/koshop/internal/kube"
)

// digest is that of an image.
const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// clusterWith returns a cluster that has one ConfigMap, with the content of a registry's;
// nil data is none.
func clusterWith(t *testing.T, data map[string]string) *kube.Cluster {
	t.Helper()
	return clusterBy(t, func(w http.ResponseWriter, r *http.Request) {
		if data == nil || r.URL.Path != "/api/v1/namespaces/kube-public/configmaps/local-registry-hosting" {
			refuse(http.StatusNotFound, metav1.StatusReasonNotFound)(w, r)
			return
		}
		answer(w, http.StatusOK, corev1.ConfigMap{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-public", Name: "local-registry-hosting"}, Data: data,
		})
	})
}

// clusterBy returns the cluster of an API server.
func clusterBy(t *testing.T, handler http.HandlerFunc) *kube.Cluster {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := kube.New(&rest.Config{Host: server.URL}, "default", kube.BuiltIn())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refuse(code int, reason metav1.StatusReason) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, code, metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure, Reason: reason, Message: `configmaps "local-registry-hosting": ` + string(reason), Code: int32(code),
		})
	}
}

func answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object) // A client that has gone needs no answer.
}

func TestFind(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    registry.Registry
	}{
		"a host": {`host: "localhost:5001"`, registry.Registry{Host: "localhost:5001", Runtime: "localhost:5001"}},
		"all fields": {"host: localhost:5001\nhostFromContainerRuntime: registry:5000\nhostFromClusterNetwork: kind-registry:5000\nhelp: https://example.com/help",
			registry.Registry{Host: "localhost:5001", Runtime: "registry:5000", Help: "https://example.com/help"}},
		"JSON, which is YAML": {`{"host": "registry.example.com"}`, registry.Registry{Host: "registry.example.com", Runtime: "registry.example.com"}},
		"a field of nobody":   {"host: localhost:5001\nmirror: yes", registry.Registry{Host: "localhost:5001", Runtime: "localhost:5001"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := clusterWith(t, map[string]string{registry.Key: test.content, "localRegistryHosting.v2": "host: [elsewhere]"})
			got, err := registry.Find(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if got.Host != test.want.Host || got.Runtime != test.want.Runtime || got.Help != test.want.Help {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// In a pod, the registry has the name that it has in the cluster's network.
func TestFindInAPod(t *testing.T) {
	inPod := func(content string) (registry.Registry, error) {
		c := clusterWith(t, map[string]string{registry.Key: content})
		c.Config.BearerTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
		return registry.Find(t.Context(), c)
	}
	got, err := inPod("host: localhost:5001\nhostFromClusterNetwork: kind-registry:5000")
	if err != nil || got.Host != "kind-registry:5000" || got.Runtime != "localhost:5001" {
		t.Errorf("got %+v, error %v", got, err)
	}
	if got, err := inPod("host: localhost:5001"); err == nil || !strings.Contains(err.Error(), "has no hostFromClusterNetwork") {
		t.Errorf("without a name in the cluster's network: got %+v, error %v", got, err)
	}
}

func TestFindSaysWhatIsThereInstead(t *testing.T) {
	place := "ConfigMap local-registry-hosting in namespace kube-public of HOST"
	for name, test := range map[string]struct {
		data map[string]string
		want string
	}{
		"no ConfigMap":       {nil, "HOST has no ConfigMap local-registry-hosting in namespace kube-public"},
		"a newer version":    {map[string]string{"localRegistryHosting.v2": "", "localRegistryHosting.v3": ""}, place + " has no localRegistryHosting.v1, which this ko reads, but localRegistryHosting.v2, localRegistryHosting.v3"},
		"nothing":            {map[string]string{"other": ""}, place + " has no localRegistryHosting.v1, which this ko reads, but no other version either"},
		"no YAML":            {map[string]string{registry.Key: "host: ["}, registry.Key + " in " + place + " cannot be read: "},
		"another type":       {map[string]string{registry.Key: "host: [localhost]"}, registry.Key + " in " + place + " cannot be read: "},
		"no host":            {map[string]string{registry.Key: "help: https://example.com/help"}, registry.Key + " in " + place + " has no host: see https://example.com/help"},
		"a URL":              {map[string]string{registry.Key: "host: http://localhost:5001"}, place + `: host: "http://localhost:5001" is not the host of a registry, such as localhost:5001`},
		"a path":             {map[string]string{registry.Key: "host: localhost:5001/team"}, place + `: host: "localhost:5001/team" is not the host`},
		"a name without dot": {map[string]string{registry.Key: "host: localhost:5001\nhostFromContainerRuntime: registry"}, place + `: hostFromContainerRuntime: "registry" is not the host`},
	} {
		t.Run(name, func(t *testing.T) {
			c := clusterWith(t, test.data)
			got, err := registry.Find(t.Context(), c)
			if want := strings.ReplaceAll(test.want, "HOST", c.Host()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %+v, error %v, want %s", got, err, want)
			}
		})
	}
}

func TestFindWithoutTheRight(t *testing.T) {
	c := clusterBy(t, refuse(http.StatusForbidden, metav1.StatusReasonForbidden))
	if _, err := registry.Find(t.Context(), c); err == nil || !strings.Contains(err.Error(), c.Host()+" forbids it: ") {
		t.Errorf("error %v", err)
	}
}

func TestPulled(t *testing.T) {
	c := clusterWith(t, map[string]string{registry.Key: "host: localhost:5001\nhostFromContainerRuntime: registry:5000"})
	other, err := registry.Find(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		registry     registry.Registry
		pushed, want string
	}{
		{other, "localhost:5001/web@" + digest, "registry:5000/web@" + digest},
		{other, "localhost:5001/team/web:v1@" + digest, "registry:5000/team/web:v1@" + digest},
		{other, "localhost:5001/web:live-1", "registry:5000/web:live-1"},
		{other, "localhost:50011/web:live-1", "localhost:50011/web:live-1"},
		{registry.Registry{Host: "localhost:5001", Runtime: "localhost:5001"}, "localhost:5001/web@" + digest, "localhost:5001/web@" + digest},
		{registry.Registry{}, "localhost:5001/web@" + digest, "localhost:5001/web@" + digest},
	} {
		pushed, err := name.ParseReference(test.pushed)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := test.registry.Pulled(pushed); err != nil || got.String() != test.want {
			t.Errorf("%s is pulled as %v, want %s (error %v)", test.pushed, got, test.want, err)
		}
	}
}

// What says already where images go is left alone, and no cluster is connected to.
func TestChooseIsForThoseWhoSayNothing(t *testing.T) {
	for name, opts := range map[string]*options.PublishOptions{
		"a registry":  {DockerRepo: "registry.example.com", Push: true},
		"a daemon":    {Push: true, Local: true},
		"a file only": {},
	} {
		before := *opts
		got, err := registry.Choose(t.Context(), opts, func() (*kube.Cluster, error) {
			t.Errorf("%s: the cluster is asked", name)
			return nil, errors.New("asked")
		}, progress.New(nil))
		if err != nil || got != (registry.Registry{}) || opts.DockerRepo != before.DockerRepo {
			t.Errorf("%s: got %+v, error %v, repository %q", name, got, err, opts.DockerRepo)
		}
	}
}

func TestChooseSaysWhich(t *testing.T) {
	c := clusterWith(t, map[string]string{registry.Key: "host: localhost:5001\nhostFromContainerRuntime: registry:5000\nhelp: https://example.com/help"})
	var log bytes.Buffer
	opts := &options.PublishOptions{Push: true}
	got, err := registry.Choose(t.Context(), opts, func() (*kube.Cluster, error) { return c, nil }, progress.New(&log))
	if err != nil || opts.DockerRepo != "localhost:5001" {
		t.Fatalf("repository %q, error %v", opts.DockerRepo, err)
	}
	want := "KO_DOCKER_REPO is not set: images are pushed to localhost:5001, which " + c.Host() + " advertises, and pulled from registry:5000\n"
	if log.String() != want {
		t.Errorf("it says %q, want %q", log.String(), want)
	}
	for _, part := range []string{"localhost:5001, which " + c.Host() + " advertises", "see https://example.com/help", "or set KO_DOCKER_REPO"} {
		if !strings.Contains(got.Remedy(), part) {
			t.Errorf("the remedy lacks %q: %s", part, got.Remedy())
		}
	}
}

func TestChooseWithoutARegistry(t *testing.T) {
	noKubeconfig := errors.New("reading the kubeconfig: there is none")
	for name, connect := range map[string]func() (*kube.Cluster, error){
		"has no ConfigMap":   func() (*kube.Cluster, error) { return clusterWith(t, nil), nil },
		noKubeconfig.Error(): func() (*kube.Cluster, error) { return nil, noKubeconfig },
	} {
		var log bytes.Buffer
		_, err := registry.Choose(t.Context(), &options.PublishOptions{Push: true}, connect, progress.New(&log))
		if !errors.Is(err, publish.ErrNoRepository) || !strings.Contains(err.Error(), name) || log.Len() > 0 {
			t.Errorf("%s: error %v, log %q", name, err, log.String())
		}
	}
}
