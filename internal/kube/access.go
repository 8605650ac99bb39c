package kube

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// AccessError says why an API server serves nothing to this user.
type AccessError struct {
	// Saw is what happened, with the address of the API server.
	Saw string
	// Remedy is what to do about it.
	Remedy string
	// Down means that there was no answer at all.
	Down bool

	err error
}

func (e *AccessError) Error() string { return e.Saw + "; " + e.Remedy }

func (e *AccessError) Unwrap() error { return e.err }

// Explain tells a cluster that is down from one that does not take this user. The
// host is the address of the API server, and err what came of a question that
// every user may ask.
func Explain(host string, err error) *AccessError {
	cause := innermost(err)
	e := &AccessError{err: err}
	switch {
	case apierrors.IsUnauthorized(err):
		e.Saw = host + " rejects the token or the certificate of the kubeconfig (401 Unauthorized)"
		e.Remedy = "it is wrong or has expired: log in again, or name other credentials with --context or KUBECONFIG"
	case apierrors.IsForbidden(err):
		e.Saw = fmt.Sprintf("%s forbids it: %s", host, cause)
		e.Remedy = "log in, or ask those who run the cluster for the right, or name another user with --context or KUBECONFIG"
	case isUntrusted(err):
		e.Saw = fmt.Sprintf("%s has a certificate that the kubeconfig does not trust: %s", host, cause)
		e.Remedy = "get the kubeconfig of this cluster again: its certificate changes when it is set up anew; or is a proxy or a VPN in the way?"
	case strings.Contains(err.Error(), "getting credentials: "):
		e.Saw = fmt.Sprintf("the kubeconfig's program for credentials gives none for %s: %s", host, cause)
		e.Remedy = "install that program or log in with it, or name other credentials with --context or KUBECONFIG"
	default:
		e.Down = true
		e.Saw = fmt.Sprintf("%s does not answer: %s", host, cause)
		e.Remedy = "check that the cluster is up, and that --context or KUBECONFIG names the right one"
	}
	return e
}

// innermost leaves out what the libraries put around the answer of an API server,
// or around the lack of one.
func innermost(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		if answer := status.Status(); answer.Message != "" && answer.Message != "unknown" {
			return answer.Message
		}
		return string(status.Status().Reason)
	}
	if lost, ok := errors.AsType[*url.Error](err); ok {
		return lost.Err.Error()
	}
	return err.Error()
}

// isUntrusted says whether the API server's certificate was refused here.
func isUntrusted(err error) bool {
	_, refused := errors.AsType[*tls.CertificateVerificationError](err)
	return refused
}
