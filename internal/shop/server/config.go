package server

import (
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/koshop/koshop/internal/shop/config"
)

// Config is what every service reads from its environment.
type Config struct {
	Host     string // "" listens on every interface
	Port     int    // 0 takes a free one; only tests do
	LogLevel slog.Level
	// Proxies are the networks of trusted proxies: the service believes their
	// X-Forwarded-For, and closes only idle connections of theirs when it has too many.
	Proxies []netip.Prefix
	// MetricsPort is the port of /metrics for Prometheus; 0 switches that off.
	MetricsPort int
	// DrainDelay is how long requests are still accepted after the order to
	// stop, with /readyz already 503. Kubernetes takes a pod out of its Service
	// while it sends SIGTERM, not before, so new connections arrive for a
	// moment; without the delay a rolling update drops them.
	DrainDelay time.Duration
	// DrainTimeout bounds how long requests in flight may take to finish.
	DrainTimeout time.Duration
}

// Bind adds the variables to the set.
func (c *Config) Bind(v *config.Set) {
	v.String(&c.Host, "HOST", "", "address to listen on; empty: all")
	v.Port(&c.Port, "PORT", "8080", "port to listen on")
	v.OptionalPort(&c.MetricsPort, "METRICS_PORT", "port of /metrics for Prometheus; empty: none")
	v.Level(&c.LogLevel, "LOG_LEVEL", "info", "least level that is logged: debug, info, warn, error")
	v.Networks(&c.Proxies, "TRUSTED_PROXIES", "", "networks of proxies whose X-Forwarded-For is believed, as 10.0.0.0/8,fd00::/8")
	v.Duration(&c.DrainDelay, "DRAIN_DELAY", defaultDrainDelay(),
		"how long to go on accepting requests when told to stop (3s in a Kubernetes pod, else 0s)", 0, time.Minute)
	v.Duration(&c.DrainTimeout, "DRAIN_TIMEOUT", "15s", "how long requests in flight may take to finish when told to stop", 0, 5*time.Minute)
}

// Level is the level to log from.
func (c *Config) Level() slog.Level { return c.LogLevel }

// defaultDrainDelay is 0 on a developer's machine, so that Ctrl-C works at once.
func defaultDrainDelay() string {
	if _, inCluster := os.LookupEnv("KUBERNETES_SERVICE_HOST"); inCluster {
		return "3s"
	}
	return "0s"
}
