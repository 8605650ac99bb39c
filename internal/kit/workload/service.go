package workload

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/koshop/koshop/internal/kit/listen"
)

// Service is a name by which workloads are reached.
type Service struct {
	Namespace, Name string
	Ports           []ServicePort // TCP
	Type            corev1.ServiceType
	Backends        []*Workload

	selector map[string]string
	headless bool
	external string // the name that an ExternalName leads to
	exposed  bool   // an Ingress leads to it
	implicit bool   // it is in no manifest: see [Plan.implicitServices]
}

// ServicePort is one TCP port of a Service.
type ServicePort struct {
	Name string
	Port int32
	// HTTP tells whether what is behind it speaks HTTP, WebSocket or gRPC, and
	// Presumed whether only its being the port that PORT names, or a name such as
	// metrics, speaks for that.
	HTTP, Presumed bool
	// GRPC tells whether nothing but gRPC is spoken there.
	GRPC bool
	// Aside tells whether it is for metrics, health and the like, and not what
	// users come for.
	Aside bool

	saysHTTP  bool // by its name, protocol or number
	saysGRPC  bool // by its name or protocol
	saysAside bool // likewise
	saysOther bool // by its name, protocol or number
	target    intstr.IntOrString
}

// httpNames begin the names of ports and protocols that are HTTP.
var httpNames = []string{"http", "grpc", "h2c", "web", "ws", "kubernetes.io/h2c", "kubernetes.io/ws"}

// otherNames begin the names of ports and protocols that are something else,
// and otherPorts are the numbers of some.
var (
	otherNames = []string{"tcp", "tls", "redis", "postgres", "mysql", "mongo", "kafka", "amqp", "nats", "mqtt", "smtp", "ssh", "dns", "ldap", "memcache"}
	otherPorts = []int32{22, 25, 53, 389, 1883, 3306, 4222, 5432, 5672, 6379, 9042, 9092, 11211, 27017}
)

func newServicePort(p corev1.ServicePort) ServicePort {
	return ServicePort{
		Name: p.Name, Port: p.Port, target: p.TargetPort,
		saysHTTP:  p.Port == 80 || p.Port == 8080 || says(p, httpNames),
		saysGRPC:  says(p, grpcNames) && !says(p, grpcWebNames),
		saysAside: says(p, asideNames),
		saysOther: slices.Contains(otherPorts, p.Port) || says(p, otherNames),
	}
}

// String names the Service as kubectl prints it.
func (s *Service) String() string { return "service/" + s.Name }

// TargetPort returns the port of w's containers that p leads to.
func (p ServicePort) TargetPort(w *Workload) (int32, error) {
	if p.target.Type == intstr.Int {
		if p.target.IntVal == 0 {
			return p.Port, nil
		}
		return p.target.IntVal, nil
	}
	for _, c := range w.Containers() {
		if port, found := listen.Named(c, p.target.StrVal); found {
			return port, nil
		}
	}
	return 0, fmt.Errorf("%s: no container has a port named %q, to which port %d of a Service leads", w, p.target.StrVal, p.Port)
}

// selected returns the workloads whose pods s leads to. A Job is not one: it ends
// before requests come.
func (s *Service) selected(workloads []*Workload) []*Workload {
	if len(s.selector) == 0 {
		return nil
	}
	var selected []*Workload
	for _, w := range workloads {
		if w.Kind != "Job" && w.Namespace == s.Namespace && labels.SelectorFromSet(s.selector).Matches(labels.Set(w.Template.Labels)) {
			selected = append(selected, w)
		}
	}
	return selected
}

// isPORT reports whether p leads to the port that PORT names in a container of
// w: a program that reads PORT is a web server as a rule.
func (p ServicePort) isPORT(w *Workload) bool {
	target, err := p.TargetPort(w)
	return err == nil && slices.ContainsFunc(w.listening, func(ports listen.Ports) bool { return ports.PORT == target })
}
