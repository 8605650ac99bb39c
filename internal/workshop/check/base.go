package check

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// The names of steps that others need.
const (
	stepCluster   = "cluster"
	stepNamespace = "namespace"
)

// base is what every chapter in the cluster begins with: the cluster answers,
// and the namespace is there. What is missing there is made by the command.
func (l *look) base(command string) []report.Step {
	return []report.Step{
		{Name: stepCluster, Look: l.lookAtCluster},
		{Name: stepNamespace, Needs: []string{stepCluster}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtNamespace(ctx, command)
		}},
	}
}

func (l *look) lookAtCluster(ctx context.Context) report.Finding {
	const next = "choose a cluster with KUBECONFIG or --context; `make cluster` starts one on Linux"
	c, err := l.place.Connect()
	if err != nil {
		return cluster.Failed(err, next)
	}
	version, err := c.Version(ctx)
	if err != nil {
		return cluster.Failed(err, next)
	}
	l.cluster, l.client = c, c.HTTPClient()
	return report.Pass("%s, Kubernetes %s", c.Host(), version.GitVersion)
}

func (l *look) lookAtNamespace(ctx context.Context, command string) report.Finding {
	var namespace corev1.Namespace
	err := l.get(ctx, "", l.cluster.Namespace, &namespace)
	switch {
	case apierrors.IsNotFound(err):
		if l.cluster.Namespace != "api" { // Tilt makes no other.
			command = makeDeploy
		}
		return report.Fail(l.here(command), "there is no namespace %s", l.cluster.Namespace)
	case apierrors.IsForbidden(err): // As it is to attendees with rights in their own only.
		return report.Pass("%s", l.cluster.Namespace)
	case err != nil:
		return report.Fail("", "%v", err)
	case namespace.DeletionTimestamp != nil:
		return report.Fail("wait a moment, and try again", "namespace %s is being deleted", l.cluster.Namespace)
	}
	return report.Pass("%s", l.cluster.Namespace)
}

// get reads an object of the cluster; one that is in no namespace is in "".
func (l *look) get(ctx context.Context, namespace, name string, into client.Object) error {
	return l.cluster.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
}

// kubectl returns a command of kubectl's in the shop's namespace.
func (l *look) kubectl(format string, args ...any) string {
	return "kubectl --namespace=" + l.cluster.Namespace + " " + fmt.Sprintf(format, args...)
}

// here adapts a command that deploys to the namespace.
func (l *look) here(command string) string {
	switch namespace := l.cluster.Namespace; {
	case namespace == "api":
		return command
	case command == makeDeploy:
		return "NAMESPACE=" + namespace + " " + command
	default: // Tilt's
		return command + " -- --namespace=" + namespace
	}
}

// forLeaders is what came of asking for what an attendee need not know.
func forLeaders(err error) report.Finding {
	if apierrors.IsForbidden(err) {
		return report.Skip("for whoever gives the workshop: it takes a look at all namespaces")
	}
	return report.Fail("", "%v", err)
}
