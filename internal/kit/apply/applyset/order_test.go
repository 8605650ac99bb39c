package applyset

import (
	"slices"
	"testing"

	"github.com/koshop/koshop/internal/kube"
)

func TestInOrder(t *testing.T) {
	want := []string{
		"validatingwebhookconfiguration.admissionregistration.k8s.io/web",
		"web.example.com/web",
		"horizontalpodautoscaler.autoscaling/web",
		"daemonset.apps/web",
		"statefulset.apps/web",
		"deployment.apps/web",
		"service/web",
		"persistentvolumeclaim/web",
		"networkpolicy.networking.k8s.io/web",
		"secret/web",
		"configmap/web",
		"rolebinding.rbac.authorization.k8s.io/web",
		"role.rbac.authorization.k8s.io/web",
		"serviceaccount/web",
		"priorityclass.scheduling.k8s.io/web",
		"namespace/web",
		"customresourcedefinition.apiextensions.k8s.io/webs.example.com",
	}
	objects := decode(t, "v1 Namespace web", "v1 ConfigMap api/web", "apiextensions.k8s.io/v1 CustomResourceDefinition webs.example.com",
		"scheduling.k8s.io/v1 PriorityClass web", "v1 PersistentVolumeClaim api/web", "apps/v1 Deployment api/web", "v1 Secret api/web",
		"networking.k8s.io/v1 NetworkPolicy api/web", "apps/v1 DaemonSet api/web", "example.com/v1 Web api/web", "v1 Service api/web",
		"admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration web", "rbac.authorization.k8s.io/v1 Role api/web", "apps/v1 StatefulSet api/web",
		"rbac.authorization.k8s.io/v1 RoleBinding api/web", "autoscaling/v2 HorizontalPodAutoscaler api/web", "v1 ServiceAccount api/web")
	for range len(objects) {
		InOrder(objects)
		if got := names(objects); !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		objects = append(objects[1:], objects[0])
	}
}

func names(objects []kube.Object) []string {
	var all []string
	for _, o := range objects {
		all = append(all, kube.Name(o))
	}
	return all
}

func TestLoss(t *testing.T) {
	for text, want := range map[string]string{
		"v1 Namespace api": "everything in it",
		"apiextensions.k8s.io/v1 CustomResourceDefinition a.example.com": "every object of its kind",
		"v1 PersistentVolumeClaim api/web":                               "its data",
		"example.com/v1 Namespace api":                                   "",
	} {
		if got := Loss(decode(t, text)[0]); got != want {
			t.Errorf("with %s is lost %q, want %q", text, got, want)
		}
	}
}
