// Package clustersecret makes sure that a Secret with a random password exists
// in the namespace of the pod it runs in.
//
// So a database's password is made inside the cluster, once, and stands in no
// file. It talks to the API server's REST interface with net/http: client-go
// would be most of the program.
package clustersecret

import (
	"time"

	"github.com/koshop/koshop/internal/shop/config"
)

// Config says which Secret, and how the API server is reached from a pod.
type Config struct {
	Name string // of the Secret
	Key  string // of the password in it
	// Timeout bounds all attempts together.
	Timeout time.Duration
	// AccountDir holds token, ca.crt and namespace of the pod's service account.
	AccountDir string
	Host, Port string // of the API server
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	v.String(&c.Name, "SECRET_NAME", "postgres", "name of the Secret")
	v.String(&c.Key, "SECRET_KEY", "password", "key of the password in the Secret")
	v.Duration(&c.Timeout, "SECRET_TIMEOUT", "1m", "how long to try while the API server cannot be reached", time.Second, time.Hour)
	v.String(&c.AccountDir, "SERVICE_ACCOUNT_DIR", "/var/run/secrets/kubernetes.io/serviceaccount", "directory with the files token, ca.crt and namespace")
	v.String(&c.Host, "KUBERNETES_SERVICE_HOST", "kubernetes.default.svc", "host of the API server; Kubernetes sets it")
	v.String(&c.Port, "KUBERNETES_SERVICE_PORT", "443", "port of the API server; Kubernetes sets it")
}
