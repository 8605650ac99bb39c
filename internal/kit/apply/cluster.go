// Package apply is the last stage of the pipeline, the only one that talks to
// a cluster: it applies, creates or deletes a set of objects, after a
// server-side dry run of all of them.
package apply

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/fluxcd/pkg/ssa"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// fieldManager owns the fields that server-side apply sets:
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
const fieldManager = "ko"

// concurrency bounds the dry runs that are in flight at once.
const concurrency = 8

// Cluster is a connection to a Kubernetes API server.
type Cluster struct {
	client    client.Client
	manager   *ssa.ResourceManager
	host      string
	namespace string // for objects that name none
	noteIt    func() // says that it is used, once
}

// Connect reads the kubeconfig that kubectl would with the same flags. It
// sends nothing to the cluster yet. Warnings of the API server go to warnings,
// each once, and so does the namespace of objects that name none.
func Connect(flags *genericclioptions.ConfigFlags, warnings io.Writer) (*Cluster, error) {
	choice, err := kube.Read(flags)
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(choice.Config)
	config.WarningHandler = rest.NewWarningWriter(warnings, rest.WarningWriterOptions{Deduplicate: true})
	c, err := kube.New(config, choice.Namespace, nil)
	if err != nil {
		return nil, err
	}
	manager := ssa.NewResourceManager(c, nil, ssa.Owner{Field: fieldManager})
	noteIt := sync.OnceFunc(func() {
		fmt.Fprintf(warnings, "objects that name no namespace are in namespace %s, %s\n", choice.Namespace, choice.Reason)
	})
	return &Cluster{client: c, manager: manager, host: config.Host, namespace: choice.Namespace, noteIt: noteIt}, nil
}

// Host is the address of the API server.
func (c *Cluster) Host() string { return c.host }

// Outcome is what happened to one object.
type Outcome struct {
	Object string // as kubectl prints it: deployment.apps/user-svc
	Action string // created, configured, unchanged or deleted
}

// Report is called for each object as it is dealt with, in order.
type Report func(Outcome)

// verb is one way of sending an object: a dry run that changes nothing, and
// the real thing, which says what it did.
type verb struct {
	dryRun func(context.Context, object) error
	run    func(context.Context, object) (action string, err error)
}
