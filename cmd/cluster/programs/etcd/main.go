// Command etcd is etcd's server, built from its Go module: Debian's etcd 3.4 hangs the
// watches of Kubernetes 1.34 that name no resource version.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
