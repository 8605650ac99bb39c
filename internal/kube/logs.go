package kube

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// maxLog bounds what is read of a log, in bytes.
const maxLog = 16 << 10

// Logs returns the last lines of the log of a container, in the run before the one
// that goes on now if previous.
func (c *Cluster) Logs(ctx context.Context, namespace, pod, container string, previous bool, lines int64) (string, error) {
	through, err := rest.HTTPClientFor(c.Config)
	if err != nil {
		return "", err
	}
	pods, err := apiutil.RESTClientForGVK(corev1.SchemeGroupVersion.WithKind("Pod"), false, false, c.Config, scheme.Codecs, through)
	if err != nil {
		return "", err
	}
	limit := int64(maxLog)
	stream, err := pods.Get().Namespace(namespace).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(&corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &lines, LimitBytes: &limit}, scheme.ParameterCodec).
		Stream(ctx)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, maxLog))
	return Printable(string(text)), err
}
