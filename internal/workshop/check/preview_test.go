package check_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// ingress is that of overlay preview in a namespace. It has an address if a
// controller has seen it.
func ingress(namespace string, seen bool, hosts ...string) *networkingv1.Ingress {
	labels := map[string]string{"app.kubernetes.io/name": "preview", "app.kubernetes.io/part-of": "koshop"}
	made := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "preview", Namespace: namespace, Labels: labels}}
	for _, host := range hosts {
		made.Spec.Rules = append(made.Spec.Rules, networkingv1.IngressRule{Host: host})
	}
	if seen {
		made.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
	}
	return made
}

func lookAtPreviews(t *testing.T, objects ...runtime.Object) map[string]report.Finding {
	t.Helper()
	place := check.Place{Connect: func() (*cluster.Shop, error) { return shop(t, objects, interceptor.Funcs{}), nil }}
	found := map[string]report.Finding{}
	for _, step := range report.Run(t.Context(), check.Sections(place, "preview")[0], report.Quiet{}).Steps {
		found[step.Name] = step.Finding
	}
	return found
}

func TestPreviewHosts(t *testing.T) {
	hosts := func(namespace string) report.Finding {
		return lookAtPreviews(t, ingress(namespace, false, namespace+".example.com", "user-svc-"+namespace+".example.com"))["previews"]
	}
	wantFinding(t, hosts("preview-one"), report.Passed, "namespace preview-one, for preview-one.example.com")
	wantFinding(t, hosts(strings.Repeat("p", 54)), report.Passed, "")
	long := hosts(strings.Repeat("p", 63))
	wantFinding(t, long, report.Failed, "72 characters before the first dot, and 63 are allowed")
	if !strings.Contains(long.Next, "54 characters at most") {
		t.Errorf("next %q", long.Next)
	}
	wantFinding(t, lookAtPreviews(t, ingress("other", false, "preview.example.com"))["previews"], report.Failed, "namespace other has no host name of its own")
	wantFinding(t, lookAtPreviews(t)["previews"], report.Failed, "there is none in the cluster")
}

// The host names are tried, once there is something that they could lead to.
func TestPreviewWayIn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://") // 127.0.0.1 and a port, which is as good as a name below namespace 127.
	wantFinding(t, lookAtPreviews(t, ingress("127", true, host))["way in"], report.Passed, server.URL)
	wantFinding(t, lookAtPreviews(t, ingress("127", false, host))["way in"], report.Warned, "the Ingress in namespace 127 has no address")
	server.Close()
	wantFinding(t, lookAtPreviews(t, ingress("127", true, host))["way in"], report.Warned, "connection refused")
	wantFinding(t, lookAtPreviews(t, ingress("other", true, host))["way in"], report.Skipped, "needs previews")
}
