package node

import (
	"fmt"
	"os/exec"
	"slices"

	"github.com/koshop/koshop/cmd/cluster/internal/daemon"
)

// programs are all that the node runs, in the order in which they start.
func (n *Node) programs() []daemon.Program {
	return slices.Concat(n.controlPlane(), []daemon.Program{n.containerd()}, n.workers())
}

func (n *Node) pki(file string) string { return n.path("pki", file) }

// program describes a program whose configuration files are among its arguments' files.
func (n *Node) program(name string, files []string, args ...string) daemon.Program {
	return daemon.Program{Name: name, Path: n.binary(name), Args: args, Files: files}
}

// controlPlane are the programs that can run before there is a node.
func (n *Node) controlPlane() []daemon.Program {
	return []daemon.Program{
		n.program("registry", nil,
			"-listen=127.0.0.1:"+fmt.Sprint(n.RegistryPort),
			"-dir="+n.path("registry")),
		n.program("etcd", []string{n.pki("etcd.crt")},
			"--data-dir="+n.path("etcd"),
			"--listen-client-urls=https://127.0.0.1:2379", "--advertise-client-urls=https://127.0.0.1:2379",
			"--listen-peer-urls=https://127.0.0.1:2380", "--initial-advertise-peer-urls=https://127.0.0.1:2380",
			"--initial-cluster=default=https://127.0.0.1:2380",
			"--client-cert-auth", "--trusted-ca-file="+n.pki("etcd-ca.crt"), "--cert-file="+n.pki("etcd.crt"), "--key-file="+n.pki("etcd.key"),
			"--peer-client-cert-auth", "--peer-trusted-ca-file="+n.pki("etcd-ca.crt"), "--peer-cert-file="+n.pki("etcd.crt"), "--peer-key-file="+n.pki("etcd.key"),
			"--unsafe-no-fsync", // a cluster that can be had again in seconds may lose its last second to a power cut
			"--log-level=warn"),
		n.program("kube-apiserver", []string{n.pki("ca.crt"), n.pki("kube-apiserver.crt"), n.pki("sa.key")},
			"--bind-address="+n.address, "--advertise-address="+n.address, "--secure-port="+apiPort,
			"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile="+n.pki("etcd-ca.crt"),
			"--etcd-certfile="+n.pki("etcd-client.crt"), "--etcd-keyfile="+n.pki("etcd-client.key"),
			"--tls-cert-file="+n.pki("kube-apiserver.crt"), "--tls-private-key-file="+n.pki("kube-apiserver.key"),
			"--client-ca-file="+n.pki("ca.crt"),
			"--kubelet-certificate-authority="+n.pki("ca.crt"),
			"--kubelet-client-certificate="+n.pki("apiserver-kubelet.crt"), "--kubelet-client-key="+n.pki("apiserver-kubelet.key"),
			"--kubelet-preferred-address-types=InternalIP", // the node's name does not resolve
			"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--allow-privileged", // a privileged namespace may run privileged pods; Pod Security decides which is one
			"--service-cluster-ip-range="+serviceCIDR,
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-signing-key-file="+n.pki("sa.key"), "--service-account-key-file="+n.pki("sa.key"),
			"--profiling=false"),
	}
}

// workers are the programs that need the API server or containerd.
func (n *Node) workers() []daemon.Program {
	controllerConfig, schedulerConfig := n.pki("kube-controller-manager.kubeconfig"), n.pki("kube-scheduler.kubeconfig")
	kubeletConfig, proxyConfig := n.path("config", "kubelet.yaml"), n.path("config", "kube-proxy.yaml")
	provisionerConfig, policiesConfig := n.pki("volume-provisioner.kubeconfig"), n.pki("network-policies.kubeconfig")
	return []daemon.Program{
		n.program("kube-controller-manager", []string{controllerConfig},
			"--kubeconfig="+controllerConfig, "--bind-address=127.0.0.1", "--leader-elect=false",
			"--use-service-account-credentials",
			"--service-account-private-key-file="+n.pki("sa.key"), "--root-ca-file="+n.pki("ca.crt"),
			"--cluster-signing-cert-file="+n.pki("ca.crt"), "--cluster-signing-key-file="+n.pki("ca.key"),
			"--profiling=false"),
		n.program("kube-scheduler", []string{schedulerConfig},
			"--kubeconfig="+schedulerConfig, "--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false"),
		n.program("kubelet", []string{kubeletConfig, n.pki("kubelet.kubeconfig"), n.pki("kubelet-server.crt"), n.path("resolv.conf")},
			"--config="+kubeletConfig, "--kubeconfig="+n.pki("kubelet.kubeconfig"),
			// Without --node-ip it asks the resolver for its own name first, which takes 20 s where there is none.
			"--hostname-override="+name, "--node-ip="+n.address, "--root-dir="+n.path("kubelet"), "--cert-dir="+n.path("kubelet", "pki")),
		n.program("kube-proxy", []string{proxyConfig, n.pki("kube-proxy.kubeconfig")}, "--config="+proxyConfig),
		n.program("volume-provisioner", []string{provisionerConfig}, "-kubeconfig="+provisionerConfig, "-dir="+n.path("volumes")),
		n.program("network-policies", []string{policiesConfig},
			"-kubeconfig="+policiesConfig, "-node="+name, "-queue="+policyQueue, "-table="+policyTable),
	}
}

// ports are the addresses a program listens on, for telling who is in the way.
func (n *Node) ports(program string) []string {
	return map[string][]string{
		"registry":                {"127.0.0.1:" + fmt.Sprint(n.RegistryPort)},
		"etcd":                    {"127.0.0.1:2379", "127.0.0.1:2380"},
		"kube-apiserver":          {n.address + ":" + apiPort},
		"kube-controller-manager": {"127.0.0.1:10257"},
		"kube-scheduler":          {"127.0.0.1:10259"},
		"kubelet":                 {n.address + ":10250", "127.0.0.1:10248"},
		"kube-proxy":              {"127.0.0.1:10249", "127.0.0.1:10256"},
	}[program]
}

func (n *Node) containerdConfig() string { return n.path("config", "containerd.toml") }
func (n *Node) containerdSocket() string { return n.path("run", "containerd.sock") }

// containerd is the machine's own program, with a configuration of the node's.
func (n *Node) containerd() daemon.Program {
	path, err := exec.LookPath("containerd")
	if err != nil {
		path = "containerd" // not installed, as checkMachine says before it is started
	}
	config := n.containerdConfig()
	return daemon.Program{Name: "containerd", Path: path, Args: []string{"--config", config}, Files: []string{config}}
}
