package class

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// An administrator's kubeconfig with a second context, and everything in files.
const leaders = `
apiVersion: v1
kind: Config
current-context: other
clusters:
- name: other
  cluster: {server: "https://127.0.0.1:6443"}
- name: school
  cluster:
    server: https://school.example.com:6443
    certificate-authority: ca.crt
    tls-server-name: kubernetes
    extensions: [{name: minikube.sigs.k8s.io, extension: {provider: minikube}}]
contexts:
- {name: other, context: {cluster: other, user: admin}}
- {name: school, context: {cluster: school, user: admin, namespace: kube-system}}
users:
- name: admin
  user: {token: leaders-own, client-key: missing.key}
`

// An attendee has the cluster of the leader, and nothing else of theirs.
func TestKubeconfig(t *testing.T) {
	c := &School{entry: entryOf(t, "school")}
	if c.Loopback() {
		t.Errorf("%s counts as this machine's", c.Server())
	}
	s := (&Class{Name: "monday", Manager: "ambassador"}).seat("ada")
	data, err := c.kubeconfig(s, "hers")
	if err != nil {
		t.Fatal(err)
	}
	for _, leaders := range []string{"leaders-own", "missing.key", "ca.crt", "minikube", "127.0.0.1", "kube-system"} {
		if strings.Contains(string(data), leaders) {
			t.Errorf("%q is in it", leaders)
		}
	}
	config, err := clientcmd.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	chosen := config.Contexts[config.CurrentContext]
	if config.CurrentContext != "koshop-ada" || chosen.Namespace != "api-ada" || config.AuthInfos[chosen.AuthInfo].Token != "hers" {
		t.Errorf("context %q: %+v", config.CurrentContext, chosen)
	}
	entry := config.Clusters[chosen.Cluster]
	if entry.Server != "https://school.example.com:6443" || string(entry.CertificateAuthorityData) != "certificate" || entry.TLSServerName != "kubernetes" {
		t.Errorf("cluster %+v", entry)
	}
	if !strings.Contains(string(data), "namespace: ambassador") || entry.Extensions["telepresence.io"] == nil {
		t.Errorf("it does not lead to the traffic manager")
	}
}

func TestLoopback(t *testing.T) {
	c := &School{entry: entryOf(t, "")}
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://localhost:6443": true, "https://[::1]:6443": true, "https://0.0.0.0:6443": true,
		"https://192.0.2.2:6443": false, "https://localhost.example.com": false, "https://school.example.com:6443": false,
	} {
		c.entry.Server = server
		if got := c.Loopback(); got != want {
			t.Errorf("%s: %v, want %v", server, got, want)
		}
	}
}

func TestKubeconfigOfNoCluster(t *testing.T) {
	flags := genericclioptions.NewConfigFlags(true)
	*flags.KubeConfig, *flags.Context = leadersFile(t), "no-such"
	if _, err := Connect(flags); err == nil || !strings.Contains(err.Error(), "no-such") {
		t.Errorf("error %v, want one that names the context", err)
	}
}

// Only the owner reads what is written, even over a file that others could read.
func TestWriteSecret(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "class")
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	name := kubeconfigFile(dir, "ada")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeSecret(name, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("error %v, mode %v", err, info.Mode())
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "new" {
		t.Errorf("error %v, content %q", err, data)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("error %v, files %v, want the kubeconfig and .gitignore", err, files)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("error %v, mode %v of the directory", err, info.Mode())
	}
}

// A directory that the class has made is hidden from Git; in another one only the
// kubeconfigs are, and a .gitignore that is there counts.
func TestPrepare(t *testing.T) {
	parent := t.TempDir()
	for name, test := range map[string]struct {
		before bool   // whether the directory is there
		ignore string // what is in it
		want   string
	}{
		"new":          {want: "*\n"},
		"there":        {before: true, want: "*.kubeconfig\n"},
		"with its own": {before: true, ignore: "bin/\n", want: "bin/\n"},
	} {
		dir := filepath.Join(parent, name)
		ignore := filepath.Join(dir, ".gitignore")
		if test.before {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if test.ignore != "" {
			if err := os.WriteFile(ignore, []byte(test.ignore), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // The second time, it is there and as it was.
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(ignore); err != nil || string(got) != test.want {
				t.Errorf("%s: error %v, .gitignore %q, want %q", name, err, got, test.want)
			}
		}
	}
}

func entryOf(t *testing.T, context string) *clientcmdapi.Cluster {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(true)
	*flags.KubeConfig, *flags.Context = leadersFile(t), context
	entry, err := clusterEntry(flags)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func leadersFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"config": leaders, "ca.crt": "certificate"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config")
}
