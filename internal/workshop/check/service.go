package check

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/workshop/report"
)

// services are the workloads of the shop.
var services = []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"}

// deployed returns a step for each service: it is rolled out, its pods run images
// that ko built, and it answers. The command deploys it.
func (l *look) deployed(command string, names ...string) []report.Step {
	var steps []report.Step
	for _, name := range names {
		steps = append(steps, report.Step{Name: name, Needs: []string{stepNamespace}, Look: func(ctx context.Context) report.Finding {
			return l.lookAtService(ctx, name, command)
		}})
	}
	return steps
}

func (l *look) lookAtService(ctx context.Context, name, command string) report.Finding {
	deployment := &appsv1.Deployment{}
	err := l.get(ctx, l.cluster.Namespace, name, deployment)
	if apierrors.IsNotFound(err) {
		return report.Fail(l.here(command), "it is not deployed")
	}
	if err != nil {
		return report.Fail("", "%v", err)
	}
	pods, err := l.podsOf(ctx, deployment)
	if err != nil {
		return report.Fail("", "%v", err)
	}
	if finding := l.lookAtRollout(deployment, pods); finding.Status != report.Passed {
		return finding
	}
	built := lookAtImages(ctx, name, pods, l.here(command))
	if built.Status == report.Failed {
		return built
	}
	if _, err := greet(ctx, l.client, l.cluster.URL(name)); err != nil {
		return report.Fail(l.kubectl("logs deployment/%s", name), "it does not answer: %v", err)
	}
	built.Saw = fmt.Sprintf("%d ready, %s", len(pods), built.Saw)
	return built
}

// podsOf returns the pods of a deployment that are not on their way out.
func (l *look) podsOf(ctx context.Context, deployment *appsv1.Deployment) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := l.cluster.List(ctx, &list, client.InNamespace(deployment.Namespace), client.MatchingLabels(deployment.Spec.Selector.MatchLabels))
	if err != nil {
		return nil, err
	}
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// lookAtRollout finds out whether the deployment is rolled out, and if not, why.
func (l *look) lookAtRollout(deployment *appsv1.Deployment, pods []corev1.Pod) report.Finding {
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	if wanted == 0 {
		return report.Fail(l.kubectl("scale deployment %s --replicas=1", deployment.Name), "it is scaled to no pods")
	}
	status := deployment.Status
	if status.ObservedGeneration >= deployment.Generation && status.ReadyReplicas == wanted && status.UpdatedReplicas == wanted && len(pods) == int(wanted) {
		return report.Pass("")
	}
	saw := []string{fmt.Sprintf("%d of %d pods ready", status.ReadyReplicas, wanted)}
	next := "wait a moment; if it stays so: " + l.kubectl("describe deployment %s", deployment.Name)
	for _, pod := range pods {
		if trouble, remedy := l.trouble(pod); trouble != "" {
			saw, next = append(saw, trouble), remedy
		}
	}
	return report.Fail(next, "%s", strings.Join(saw, "\n"))
}

// trouble says why a pod is not ready, and what to do about it.
func (l *look) trouble(pod corev1.Pod) (saw, next string) {
	if kube.IsReady(pod) {
		return "", ""
	}
	troubles := kube.Troubles(&pod)
	if len(troubles) == 0 {
		return "", ""
	}
	trouble := troubles[0]
	switch trouble.Kind {
	case kube.Unscheduled:
		next = "ask for more nodes, or remove what is not needed"
	case kube.Unpulled:
		next = "deploy again with KO_DOCKER_REPO naming a registry that the cluster pulls from"
	case kube.Ended:
		next = l.kubectl("logs %s --container=%s", pod.Name, trouble.Container)
		if trouble.Previous {
			next += " --previous"
		}
	default:
		next = l.kubectl("describe pod %s", pod.Name)
	}
	return "pod " + pod.Name + ": " + trouble.Text, next
}
