package check

import (
	"context"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		host := ""
		for _, rule := range ingress.Spec.Rules {
			if strings.HasPrefix(rule.Host, ingress.Namespace+".") {
				host = rule.Host
			}
		}
		if host == "" {
			return nil, report.Fail("move it by --namespace, as in: "+makePreview, "namespace %s has no host name of its own", ingress.Namespace)
		}
		saw = append(saw, "namespace "+ingress.Namespace+", http://"+host)
	}
	if len(saw) == 0 {
		return nil, report.Fail(makePreview, "there is none in %s", where)
	}
	slices.Sort(saw)
	return previews, report.Pass("%s", strings.Join(saw, "\n"))
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
