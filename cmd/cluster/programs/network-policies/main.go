// Command network-policies decides which connections the cluster's network policies allow.
// The kernel asks it about each connection that a pod opens.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` that says how to reach the cluster")
	node := flag.String("node", "", "`name` of the node that the pods are on")
	queue := flag.Int("queue", 0, "`number` of the netfilter queue that the kernel asks by")
	table := flag.String("table", "", "`name` of the nftables table to make, where the kernel can queue from one")
	flag.Parse()
	// Where the kernel cannot queue from nftables, the engine logs an error at every change
	// of a pod. Errors that matter are printed below.
	klog.SetLogger(klog.New(nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, networkpolicy.Config{NodeName: *node, QueueID: *queue, NFTableName: *table}); err != nil {
		fmt.Fprintln(os.Stderr, "network-policies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string, settings networkpolicy.Config) error {
	if kubeconfig == "" || settings.NodeName == "" || settings.QueueID == 0 || settings.NFTableName == "" {
		return errors.New("-kubeconfig, -node, -queue and -table are needed")
	}
	settings.FailOpen = true // A cluster without this program is of use, too.
	settings.NetfilterBug1766Fix = true
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	policies := factory.Networking().V1().NetworkPolicies()
	for _, informer := range []cache.SharedIndexInformer{policies.Informer(), core.Namespaces().Informer(), core.Pods().Informer()} {
		if err := informer.SetWatchErrorHandler(printError); err != nil {
			return err
		}
	}
	engine, err := networkpolicy.NewController(client, policies, core.Namespaces(), core.Pods(), nil, nil, nil, nil, settings)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if err := engine.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "network-policies: this kernel has no packet queues, so no policy is enforced:", err)
		<-ctx.Done() // A program that ends makes the node fail.
	}
	return nil
}

// printError says why the program may not know of a change. It is tried again.
func printError(_ *cache.Reflector, err error) {
	fmt.Fprintln(os.Stderr, "network-policies:", err)
}
