package check

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	stepConnection = "connection"
	stepNames      = "cluster names"
)

func (l *look) connect() []report.Step {
	return append(append(l.base(makeDeploy), l.connected()...),
		report.Step{Name: stepFlow, Needs: []string{stepNames}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtFlow(ctx, http.DefaultClient)
		}})
}

// connected is what is needed for this laptop to reach services by their names.
func (l *look) connected() []report.Step {
	return []report.Step{
		{Name: stepConnection, Needs: []string{stepNamespace}, Look: l.lookAtConnection},
		{Name: stepNames, Needs: []string{stepConnection}, Look: l.lookAtNames},
	}
}

func (l *look) lookAtConnection(ctx context.Context) report.Finding {
	command := "telepresence connect --namespace=" + l.cluster.Namespace
	status, err := telepresence.Read(ctx)
	switch {
	case errors.Is(err, telepresence.ErrNotFound):
		return report.Fail("install it: https://telepresence.io/docs/install/client", "%v", err)
	case err != nil:
		return report.Fail("telepresence quit --stop-daemons, and "+command, "%v", err)
	case !status.Connected():
		return report.Fail(command, "Telepresence is not connected")
	case !l.cluster.Is(status.Server):
		return report.Fail("telepresence quit, and "+command, "Telepresence %s is connected to another cluster: %s", status.Version, status.Server)
	}
	return report.Pass("Telepresence %s, namespace %s", status.Version, status.Namespace)
}

// lookAtNames compares what this laptop makes of a name with what the cluster
// does: a VPN may answer for any name.
func (l *look) lookAtNames(ctx context.Context) report.Finding {
	const next = "telepresence quit, telepresence connect; a VPN that answers for all names must be off: bin/workshop doctor"
	name := "api-gateway." + l.cluster.Namespace
	var service corev1.Service
	if err := l.get(ctx, l.cluster.Namespace, "api-gateway", &service); err != nil {
		return report.Fail(l.here(makeDeploy), "%v", err)
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return report.Fail(next, "%v", err)
	}
	if !slices.Contains(addresses, service.Spec.ClusterIP) {
		return report.Fail(next, "%s is %s here, and %s in the cluster", name, strings.Join(addresses, ", "), service.Spec.ClusterIP)
	}
	host, err := greet(ctx, http.DefaultClient, l.cluster.URL("api-gateway"))
	if err != nil {
		return report.Fail(next, "%v", err)
	}
	return report.Pass("http://%s is %s, and %s answers", name, service.Spec.ClusterIP, host)
}
