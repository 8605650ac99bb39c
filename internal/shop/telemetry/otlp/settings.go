// Package otlp sends traces and metrics to a collector of OpenTelemetry: OTLP over HTTP,
// in protobuf (https://opentelemetry.io/docs/specs/otlp/). The usual exporters bring gRPC
// with them, which takes more memory than all the rest of a service.
package otlp

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signal is a kind of telemetry, as the names of variables have it.
type Signal string

// The signals that are sent.
const (
	TraceSignal  Signal = "TRACES"
	MetricSignal Signal = "METRICS"
)

// Settings say where a signal is sent, and how.
type Settings struct {
	url     string
	header  http.Header
	timeout time.Duration // of one attempt
	gzip    bool
	tls     *tls.Config
}

// FromEnvironment reads the standard variables
// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). It returns nil if they
// do not say that the signal is to be sent. An error names the variable.
func FromEnvironment(signal Signal) (*Settings, error) {
	on, err := isOn(signal)
	if err != nil || !on {
		return nil, err
	}
	s := &Settings{}
	return s, errors.Join(
		parse(signal, "PROTOCOL", "http/protobuf", func(v string) error {
			if v != "http/protobuf" {
				return errors.New("must be http/protobuf")
			}
			return nil
		}),
		s.parseURL(signal),
		parse(signal, "HEADERS", "", s.parseHeader),
		parse(signal, "TIMEOUT", "10000", func(v string) error {
			ms, err := strconv.ParseUint(v, 10, 31)
			s.timeout = time.Duration(ms) * time.Millisecond
			if err != nil || ms == 0 {
				return errors.New("must be a number of milliseconds")
			}
			return nil
		}),
		parse(signal, "COMPRESSION", "none", func(v string) error {
			if s.gzip = v == "gzip"; !s.gzip && v != "none" {
				return errors.New("must be gzip or none")
			}
			return nil
		}),
		s.parseTLS(signal),
	)
}

// isOn tells whether a signal is to be sent: if its exporter says so, or if there is an
// endpoint.
func isOn(signal Signal) (bool, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	variable := "OTEL_" + string(signal) + "_EXPORTER"
	exporters := os.Getenv(variable)
	if exporters == "" {
		return value(signal, "ENDPOINT") != "", nil
	}
	known := []string{"otlp", "none"}
	if signal == MetricSignal {
		known = append(known, "prometheus") // METRICS_PORT has it.
	}
	on := false
	for name := range strings.SplitSeq(exporters, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			return false, fmt.Errorf("%s=%q: must be one of %s", variable, exporters, strings.Join(known, ", "))
		}
		on = on || name == "otlp"
	}
	return on, nil
}

const prefix = "OTEL_EXPORTER_OTLP_"

// value returns what a variable says of the signal, or of all.
func value(signal Signal, name string) string {
	return cmp.Or(os.Getenv(prefix+string(signal)+"_"+name), os.Getenv(prefix+name))
}

// parse reads a variable. An error does not repeat its value, which may be secret.
func parse(signal Signal, name, otherwise string, read func(string) error) error {
	if err := read(cmp.Or(value(signal, name), otherwise)); err != nil {
		return fmt.Errorf("%s%s: %w", prefix, name, err)
	}
	return nil
}

// parseURL reads the endpoint: that of a signal is taken as it is.
func (s *Settings) parseURL(signal Signal) error {
	own := os.Getenv(prefix + string(signal) + "_ENDPOINT")
	return parse(signal, "ENDPOINT", "http://localhost:4318", func(v string) error {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return errors.New("must be a URL such as http://collector:4318")
		}
		if own == "" {
			u = u.JoinPath("v1", strings.ToLower(string(signal)))
		}
		s.url = u.String()
		return nil
	})
}

// parseHeader reads name=value pairs, whose values are escaped as in a URL.
func (s *Settings) parseHeader(list string) error {
	s.header = http.Header{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, escaped, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(escaped))
		if !ok || err != nil || strings.ContainsAny(name+value, "\r\n") {
			return errors.New("must be pairs such as name=value,name=value")
		}
		s.header.Set(strings.TrimSpace(name), value)
	}
	return nil
}

// parseTLS reads the files of certificates.
func (s *Settings) parseTLS(signal Signal) error {
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	authorities := parse(signal, "CERTIFICATE", "", func(path string) error {
		if path == "" {
			return nil
		}
		pem, err := os.ReadFile(path)
		if s.tls.RootCAs = x509.NewCertPool(); err == nil && !s.tls.RootCAs.AppendCertsFromPEM(pem) {
			err = errors.New("there is no certificate in the file")
		}
		return err
	})
	own := parse(signal, "CLIENT_CERTIFICATE", "", func(path string) error {
		if path == "" {
			return nil
		}
		pair, err := tls.LoadX509KeyPair(path, value(signal, "CLIENT_KEY"))
		s.tls.Certificates = []tls.Certificate{pair}
		return err
	})
	return errors.Join(authorities, own)
}
