//go:build e2e

package e2e

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// farAway returns a kubeconfig by which everything takes that much longer to get to
// the API server, and as much longer back.
func farAway(t *testing.T, delay time.Duration) string {
	t.Helper()
	config := connect(t).config
	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	address := slowLink(t, server.Host, delay)
	far := clientcmdapi.NewConfig()
	far.Clusters["far"] = &clientcmdapi.Cluster{Server: "https://" + address, TLSServerName: server.Hostname(),
		CertificateAuthorityData: config.CAData, CertificateAuthority: config.CAFile}
	far.AuthInfos["far"] = &clientcmdapi.AuthInfo{ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
		ClientCertificate: config.CertFile, ClientKey: config.KeyFile, Token: config.BearerToken}
	far.Contexts["far"] = &clientcmdapi.Context{Cluster: "far", AuthInfo: "far"}
	far.CurrentContext = "far"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*far, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// slowLink returns an address that leads to a server, to which everything takes that
// much longer, and as much longer back.
func slowLink(t *testing.T, server string, delay time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			go carry(far, near, delay)
			go carry(near, far, delay)
		}
	}()
	return listener.Addr().String()
}

// carry brings what comes from one end to the other, later, and in order.
func carry(to, from net.Conn, delay time.Duration) {
	defer to.Close()
	type parcel struct {
		due  time.Time
		data []byte
	}
	way := make(chan parcel, 1024)
	go func() {
		defer close(way)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if n > 0 {
				way <- parcel{time.Now().Add(delay), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range way {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			_, _ = io.Copy(io.Discard, from)
			return
		}
	}
}
