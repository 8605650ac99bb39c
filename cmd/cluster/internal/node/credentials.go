package node

import (
	"encoding/base64"
	"fmt"
	"os"

	"github.com/koshop/koshop/cmd/cluster/internal/pki"
)

// clients are the cluster's users and the groups Kubernetes' own roles are bound to.
var clients = []pki.Request{
	{Name: "admin", User: "kubernetes-admin", Groups: []string{"system:masters"}},
	{Name: "kube-controller-manager", User: "system:kube-controller-manager"},
	{Name: "kube-scheduler", User: "system:kube-scheduler"},
	{Name: "kube-proxy", User: "system:kube-proxy"},
	{Name: "kubelet", User: "system:node:" + name, Groups: []string{"system:nodes"}},
	{Name: "volume-provisioner", User: "koshop:volume-provisioner"},
	{Name: "network-policies", User: "koshop:network-policies"},
}

// issueCredentials writes the keys, certificates and kubeconfigs of everybody who talks to
// somebody. Those that fit already stay as they are.
func (n *Node) issueCredentials() error {
	dir := n.path("pki")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority, err := pki.LoadOrCreateAuthority(dir, "ca")
	if err != nil {
		return err
	}
	// etcd trusts an authority of its own: a kubelet's certificate does not open the database.
	etcdAuthority, err := pki.LoadOrCreateAuthority(dir, "etcd-ca")
	if err != nil {
		return err
	}
	for _, r := range []struct {
		authority *pki.Authority
		pki.Request
	}{
		{etcdAuthority, pki.Request{Name: "etcd", User: "etcd", Hosts: []string{"localhost", "127.0.0.1"}}},
		{etcdAuthority, pki.Request{Name: "etcd-client", User: "kube-apiserver"}},
		{authority, pki.Request{Name: "kube-apiserver", User: "kube-apiserver", Hosts: []string{
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
			"localhost", "127.0.0.1", apiService, n.address}}},
		{authority, pki.Request{Name: "apiserver-kubelet", User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}}},
		{authority, pki.Request{Name: "kubelet-server", User: "system:node:" + name, Hosts: []string{name, n.address}}},
	} {
		if _, err := r.authority.Issue(dir, r.Request); err != nil {
			return err
		}
	}
	if _, err := pki.SigningKey(n.pki("sa.key")); err != nil {
		return err
	}
	for _, client := range clients {
		pair, err := authority.Issue(dir, client)
		if err != nil {
			return err
		}
		if err := n.writeKubeconfig(n.pki(client.Name+".kubeconfig"), client.User, authority, pair); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) writeKubeconfig(path, user string, authority *pki.Authority, pair pki.Pair) error {
	values := map[string]string{
		"Cluster": name,
		"Server":  fmt.Sprintf("https://%s:%s", n.address, apiPort),
		"User":    user,
	}
	for key, file := range map[string]string{"Authority": authority.CertFile, "Certificate": pair.CertFile, "Key": pair.KeyFile} {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		values[key] = base64.StdEncoding.EncodeToString(data)
	}
	return renderFile(path, "config/kubeconfig.yaml", values)
}
