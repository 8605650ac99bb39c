package probe

// Probe is a probe of the manifests whose ports are numbers. Like the types of its
// handlers, it is apart from Kubernetes' own: the supervisor in a pod asks probes too,
// and those types alone would more than double the memory it takes.
type Probe struct {
	// One of these is set.
	HTTPGet   *HTTPGet   `json:"httpGet,omitempty"`
	TCPSocket *TCPSocket `json:"tcpSocket,omitempty"`
	GRPC      *GRPC      `json:"grpc,omitempty"`
	Command   []string   `json:"command,omitempty"`

	// Zero stands for Kubernetes' defaults.
	InitialDelaySeconds int32 `json:"initialDelaySeconds,omitempty"`
	PeriodSeconds       int32 `json:"periodSeconds,omitempty"`
	TimeoutSeconds      int32 `json:"timeoutSeconds,omitempty"`
	FailureThreshold    int32 `json:"failureThreshold,omitempty"`
	SuccessThreshold    int32 `json:"successThreshold,omitempty"`
}

// HTTPGet succeeds if the answer is 2xx or 3xx.
type HTTPGet struct {
	Scheme  string   `json:"scheme,omitempty"` // HTTP if it is ""
	Host    string   `json:"host,omitempty"`   // 127.0.0.1 if it is ""
	Port    int      `json:"port"`
	Path    string   `json:"path,omitempty"`
	Headers []Header `json:"headers,omitempty"`
}

// Header is one of a request.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TCPSocket succeeds if a connection can be made.
type TCPSocket struct {
	Host string `json:"host,omitempty"` // 127.0.0.1 if it is ""
	Port int    `json:"port"`
}

// GRPC succeeds if the server says by the health checking protocol that it serves.
type GRPC struct {
	Host    string `json:"host,omitempty"` // 127.0.0.1 if it is ""
	Port    int    `json:"port"`
	Service string `json:"service,omitempty"`
}

// Listening returns the probe that succeeds when something listens on a port of this
// machine.
func Listening(port int) *Probe { return &Probe{TCPSocket: &TCPSocket{Port: port}} }
