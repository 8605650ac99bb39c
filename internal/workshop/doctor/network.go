package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/telepresence"
	"github.com/koshop/koshop/internal/workshop/report"
)

// Port is one that a program of the workshop listens on.
type Port struct {
	Number int
	For    string
}

// Ports are those of the chapters.
func Ports() []Port {
	return []Port{{8080, "ko up, and api-gateway in Tilt"}, {8081, "user-svc in Tilt"}, {2345, "the debugger in Tilt"}}
}

func (l Laptop) network() []report.Step {
	return []report.Step{
		{Name: "localhost", Look: l.lookAtLocalhost},
		{Name: "other names", Look: l.lookAtOtherNames},
		{Name: "ports", Look: l.lookAtPorts},
		{Name: "intercepts", Look: lookAtIntercepts},
	}
}

// lookAtLocalhost looks whether the names of `ko up` lead to this machine. Not
// every resolver knows those below localhost; curl and browsers do without it.
func (l Laptop) lookAtLocalhost(ctx context.Context) report.Finding {
	const below = "api-gateway.api.localhost"
	var unknown error
	for _, name := range []string{"localhost", below} {
		addresses, err := l.Lookup(ctx, name)
		switch {
		case err != nil && name == below:
			unknown = err
		case err != nil:
			return report.Fail("put it back into the hosts file: 127.0.0.1 localhost", "%v", err)
		}
		for _, address := range addresses {
			if !net.ParseIP(address).IsLoopback() {
				return report.Fail("switch off the VPN or DNS filter that answers for it (https://www.rfc-editor.org/rfc/rfc6761#section-6.3)",
					"%s leads to %s, not to this laptop", name, address)
			}
		}
	}
	if unknown != nil {
		return report.Warn("curl and browsers know such names all the same; for other programs, put them into the hosts file: 127.0.0.1 "+below+" user-svc.api.localhost", "%v", unknown)
	}
	return report.Pass("the names of ko up lead to this laptop")
}

// lookAtOtherNames asks for names that nobody has. What has an address all the
// same is led to a VPN, a provider or by a search domain, and then so are the
// cluster's names.
func (l Laptop) lookAtOtherNames(ctx context.Context) report.Finding {
	random := "koshop-doctor-" + uuid.NewString()[:8]
	for _, name := range []string{random + ".api", random} {
		addresses, err := l.Lookup(ctx, name)
		if err == nil && len(addresses) > 0 {
			return report.Fail("switch off the VPN, or the search domain or DNS server that answers for any name: the cluster's names would lead there",
				"%s, which nobody has, is %s", name, strings.Join(addresses, ", "))
		}
	}
	return report.Pass("a name that nobody has leads nowhere")
}

func (l Laptop) lookAtPorts(context.Context) report.Finding {
	var taken, free []string
	for _, port := range l.Ports {
		if err := route.Probe(port.Number); err != nil {
			taken = append(taken, fmt.Sprintf("%v; it is for %s", err, port.For))
		}
		free = append(free, fmt.Sprint(port.Number))
	}
	if len(taken) > 0 {
		return report.Fail("stop what listens there", "%s", strings.Join(taken, "\n"))
	}
	return report.Pass("%s are free", strings.Join(free, ", "))
}

// lookAtIntercepts looks for what Telepresence left behind on another day.
func lookAtIntercepts(ctx context.Context) report.Finding {
	const quit = "telepresence quit --stop-daemons"
	status, err := telepresence.Read(ctx)
	switch {
	case errors.Is(err, telepresence.ErrNotFound):
		return report.Skip("%v", err)
	case err != nil:
		return report.Fail(quit, "%v", err)
	case !status.Running:
		return report.Pass("none, and no daemon of Telepresence")
	case !status.Connected():
		return report.Warn(quit, "a daemon of Telepresence %s runs, and is not connected", status.Version)
	}
	intercepts, err := telepresence.Intercepts(ctx)
	if err != nil {
		return report.Fail(quit, "%v", err)
	}
	for _, intercept := range intercepts {
		if !answers(ctx, intercept.Target()) {
			return report.Fail("telepresence leave "+intercept.Name,
				"requests for %s in namespace %s are led to %s of this laptop, where nothing listens", intercept.Name, intercept.Namespace, intercept.Target())
		}
	}
	return report.Pass("%d, by Telepresence %s, which is connected to %s", len(intercepts), status.Version, status.Server)
}

func answers(ctx context.Context, address string) bool {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
