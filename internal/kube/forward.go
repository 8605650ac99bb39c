package kube

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/portforward"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// HTTPClient returns an HTTP client for the services' names in the cluster, such as
// http://api-gateway.api, that needs no DNS for them: every connection is a
// port-forward by the API server to a ready pod of the Service. The API server's
// proxy would not do, because it takes the Authorization header for its own.
func (c *Cluster) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: c.dial, DisableKeepAlives: true}}
}

// dial connects to an address such as api-gateway.api:80.
func (c *Cluster) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	name, namespace, _ := strings.Cut(host, ".")
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	pod, target, err := c.endpoint(ctx, namespace, name, int32(number))
	if err != nil {
		return nil, err
	}
	url, err := c.PodURL(namespace, pod, "portforward", nil)
	if err != nil {
		return nil, err
	}
	dialer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, c.Config)
	if err != nil {
		return nil, err
	}
	connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, fmt.Errorf("forwarding to pod %s: %w", pod, err)
	}
	return newStream(connection, fmt.Sprintf("port %d of pod %s", target, pod), target)
}

// endpoint finds where a Service leads: a ready pod, and the port in it.
func (c *Cluster) endpoint(ctx context.Context, namespace, name string, port int32) (pod string, target int32, err error) {
	var service corev1.Service
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &service); err != nil {
		return "", 0, err
	}
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(service.Spec.Selector)); err != nil {
		return "", 0, err
	}
	for _, served := range service.Spec.Ports {
		for _, pod := range pods.Items {
			if served.Port != port || !IsReady(pod) {
				continue
			}
			if target := portIn(pod, served.TargetPort); target != 0 {
				return pod.Name, target, nil
			}
		}
	}
	return "", 0, fmt.Errorf("no ready pod is behind port %d of service %s in namespace %s", port, name, namespace)
}

// portIn returns the number of a port of the pod, which an intercept gives to
// another container, or 0 if it has none of that name.
func portIn(pod corev1.Pod, port intstr.IntOrString) int32 {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	for _, container := range append(pod.Spec.Containers, pod.Spec.InitContainers...) { // A sidecar is among the latter.
		for _, served := range container.Ports {
			if served.Name == port.StrVal {
				return served.ContainerPort
			}
		}
	}
	return 0
}
