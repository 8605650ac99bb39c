package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/koshop/koshop/internal/workshop/flow"
	"github.com/koshop/koshop/internal/workshop/report"
)

const (
	makePreview  = "bin/ko apply -k kustomize/overlays/preview --namespace preview-MY-BRANCH --wait"
	stepPreviews = "previews"
)

func (l *look) preview() []report.Step {
	var previews []networkingv1.Ingress
	return []report.Step{
		{Name: stepCluster, Look: l.lookAtCluster},
		{Name: stepPreviews, Needs: []string{stepCluster}, Look: func(ctx context.Context) (finding report.Finding) {
			previews, finding = l.lookForPreviews(ctx)
			return finding
		}},
		{Name: stepFlow, Needs: []string{stepPreviews}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtPreviews(ctx, previews)
		}},
		{Name: "way in", Needs: []string{stepPreviews}, Look: func(ctx context.Context) report.Finding {
			return lookAtWaysIn(ctx, previews)
		}},
	}
}

// lookForPreviews finds that of a namespace which somebody chose, or else all, by
// their Ingress, which has the host names.
func (l *look) lookForPreviews(ctx context.Context) ([]networkingv1.Ingress, report.Finding) {
	namespace, where := metav1.NamespaceAll, "the cluster"
	if l.cluster.Chosen {
		namespace, where = l.cluster.Namespace, "namespace "+l.cluster.Namespace
	}
	previews, err := l.cluster.Previews(ctx, namespace)
	if err != nil {
		return nil, forLeaders(err)
	}
	var saw []string
	for _, ingress := range previews {
		finding := lookAtHosts(ingress)
		if finding.Status != report.Passed {
			return nil, finding
		}
		saw = append(saw, finding.Saw)
	}
	if len(saw) == 0 {
		return nil, report.Fail(makePreview, "there is none in %s", where)
	}
	slices.Sort(saw)
	return previews, report.Pass("%s", strings.Join(saw, "\n"))
}

// lookAtHosts looks whether the host names are the namespace's own, and such as DNS
// can have, which the API server does not ask.
func lookAtHosts(preview networkingv1.Ingress) report.Finding {
	own := ""
	for _, rule := range preview.Spec.Rules {
		label, _, _ := strings.Cut(rule.Host, ".")
		if over := len(label) - validation.DNS1123LabelMaxLength; over > 0 {
			return report.Fail(
				fmt.Sprintf("bin/ko delete -k kustomize/overlays/preview --namespace %s, and apply it with a name of %d characters at most", preview.Namespace, len(preview.Namespace)-over),
				"DNS has no name as long as %s: %d characters before the first dot, and %d are allowed", rule.Host, len(label), validation.DNS1123LabelMaxLength)
		}
		if label == preview.Namespace {
			own = rule.Host
		}
	}
	if own == "" {
		return report.Fail("move it by --namespace, as in: "+makePreview, "namespace %s has no host name of its own", preview.Namespace)
	}
	return report.Pass("namespace %s, for %s", preview.Namespace, own)
}

// lookAtPreviews buys something in each of them.
func (l *look) lookAtPreviews(ctx context.Context, previews []networkingv1.Ingress) report.Finding {
	for _, preview := range previews {
		c := *l.cluster
		c.Namespace = preview.Namespace
		shop := flow.Shop{Gateway: c.URL("api-gateway"), Users: c.URL("user-svc"), Client: l.client}
		if _, err := shop.Buy(ctx, customer()); err != nil {
			return report.Fail("kubectl --namespace="+preview.Namespace+" get pods", "namespace %s: %v", preview.Namespace, err)
		}
	}
	return report.Pass("signed up, logged in, ordered for %s, paid in each", flow.Amount)
}

// lookAtWaysIn goes where guests do: to the host names. The shop can do without
// them, and they are the business of DNS and of the cluster's ingress controller.
func lookAtWaysIn(ctx context.Context, previews []networkingv1.Ingress) report.Finding {
	var saw []string
	for _, preview := range previews {
		next := "kubectl --namespace=" + preview.Namespace + " port-forward service/api-gateway 9080:80"
		if len(preview.Status.LoadBalancer.Ingress) == 0 {
			return report.Warn("install an ingress controller, or go in by "+next, "the Ingress in namespace %s has no address", preview.Namespace)
		}
		for _, rule := range preview.Spec.Rules {
			if _, err := greet(ctx, http.DefaultClient, "http://"+rule.Host); err != nil {
				return report.Warn("lead the domain to the ingress controller by a wildcard DNS record, or go in by "+next, "%v", err)
			}
			saw = append(saw, "http://"+rule.Host)
		}
	}
	return report.Pass("%s", strings.Join(saw, "\n"))
}
