// Command volume-provisioner gives every claim of the cluster's storage class a directory
// of the node, as a local volume, and removes the directory with the claim.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// name is what the storage class calls this provisioner.
const name = "koshop.dev/local"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` that says how to reach the cluster")
	dir := flag.String("dir", "", "`directory` the volumes are made in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "volume-provisioner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, dir string) error {
	if kubeconfig == "" || dir == "" {
		return errors.New("-kubeconfig and -dir are needed")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	// There is one node and one provisioner: nobody to elect.
	controller.NewProvisionController(ctx, client, name, directories{dir}, controller.LeaderElection(false)).Run(ctx)
	return nil
}
