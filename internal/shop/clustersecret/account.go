package clustersecret

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// account is what a pod has to talk to the API server.
type account struct {
	namespace, token string
	http             *http.Client
}

func readAccount(dir string) (*account, error) {
	var contents [3]string
	for i, name := range []string{"namespace", "token", "ca.crt"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("read the service account: %w; does the pod set automountServiceAccountToken?", err)
		}
		contents[i] = strings.TrimSpace(string(b))
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(contents[2])) {
		return nil, fmt.Errorf("read the service account: %s holds no certificate", filepath.Join(dir, "ca.crt"))
	}
	return &account{namespace: contents[0], token: contents[1], http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}}, nil
}
