package reset

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// An object of the shop is labelled, or made by one that is. All else that runs or
// is kept is somebody's.
func TestForeign(t *testing.T) {
	for name, test := range map[string]struct {
		objects []client.Object
		want    []string
	}{
		"the shop": {[]client.Object{
			ofShop(&appsv1.Deployment{ObjectMeta: named("user-svc")}),
			ofShop(&appsv1.ReplicaSet{ObjectMeta: madeBy("user-svc", named("user-svc-1"))}),
			ofShop(&corev1.Pod{ObjectMeta: madeBy("user-svc-1", named("user-svc-1-a"))}),
			ofShop(&corev1.PersistentVolumeClaim{ObjectMeta: named("user-svc-claim")}),
			ofShop(statefulSet("postgres", "data")),
			ofShop(&corev1.Pod{ObjectMeta: madeBy("postgres", named("postgres-0"))}),
			&corev1.PersistentVolumeClaim{ObjectMeta: named("data-postgres-0")},
			&corev1.PersistentVolumeClaim{ObjectMeta: named("data-postgres-12")},
		}, nil},
		"what Kubernetes and Telepresence leave": {[]client.Object{
			&corev1.ConfigMap{ObjectMeta: named("kube-root-ca.crt")}, &corev1.ConfigMap{ObjectMeta: named("telepresence-agents")},
			&corev1.ServiceAccount{ObjectMeta: named("default")},
		}, nil},
		"in another namespace": {[]client.Object{&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "other"}}}, nil},

		"a deployment, named once": {[]client.Object{
			&appsv1.Deployment{ObjectMeta: named("web")},
			&appsv1.ReplicaSet{ObjectMeta: madeBy("web", named("web-1"))},
			&corev1.Pod{ObjectMeta: madeBy("web-1", named("web-1-a"))},
		}, []string{"deployment/web in api"}},
		"of another part": {[]client.Object{
			&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "api", Labels: map[string]string{shopLabel: "bank"}}},
		}, []string{"deployment/web in api"}},
		"a stateful set, and its claims": {[]client.Object{
			statefulSet("mysql", "data"), &corev1.PersistentVolumeClaim{ObjectMeta: named("data-mysql-0")},
		}, []string{"statefulset/mysql in api", "persistentvolumeclaim/data-mysql-0 in api"}},
		"a daemon set":  {[]client.Object{&appsv1.DaemonSet{ObjectMeta: named("logs")}}, []string{"daemonset/logs in api"}},
		"a replica set": {[]client.Object{&appsv1.ReplicaSet{ObjectMeta: named("web")}}, []string{"replicaset/web in api"}},
		"a cron job, with its job and pod": {[]client.Object{
			&batchv1.CronJob{ObjectMeta: named("nightly")},
			&batchv1.Job{ObjectMeta: madeBy("nightly", named("nightly-1"))},
			&corev1.Pod{ObjectMeta: madeBy("nightly-1", named("nightly-1-a"))},
		}, []string{"cronjob/nightly in api"}},
		"a job":      {[]client.Object{&batchv1.Job{ObjectMeta: named("once")}}, []string{"job/once in api"}},
		"a bare pod": {[]client.Object{&corev1.Pod{ObjectMeta: named("shell")}}, []string{"pod/shell in api"}},
		"an operator's": {[]client.Object{
			&corev1.Pod{ObjectMeta: madeBy("cluster", named("db-1"))}, &corev1.PersistentVolumeClaim{ObjectMeta: madeBy("cluster", named("db-1"))},
		}, []string{"pod/db-1 in api", "persistentvolumeclaim/db-1 in api"}},
		"a volume": {[]client.Object{&corev1.PersistentVolumeClaim{ObjectMeta: named("theirs")}}, []string{"persistentvolumeclaim/theirs in api"}},
		"volumes called almost as the shop's": {[]client.Object{
			ofShop(statefulSet("postgres", "data")),
			&corev1.PersistentVolumeClaim{ObjectMeta: named("data-postgres-")},
			&corev1.PersistentVolumeClaim{ObjectMeta: named("data-postgres-old-0")},
			&corev1.PersistentVolumeClaim{ObjectMeta: named("logs-postgres-0")},
		}, []string{"persistentvolumeclaim/data-postgres- in api", "persistentvolumeclaim/data-postgres-old-0 in api", "persistentvolumeclaim/logs-postgres-0 in api"}},
		"a pod called as a volume of the shop's": {[]client.Object{
			ofShop(statefulSet("postgres", "data")), &corev1.Pod{ObjectMeta: named("data-postgres-0")},
		}, []string{"pod/data-postgres-0 in api"}},
	} {
		got, err := foreign(t.Context(), fake.NewClientBuilder().WithObjects(test.objects...).Build(), "api")
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, error %v, want %q", name, got, err, test.want)
		}
	}
}

func named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: "api", UID: types.UID(name)}
}

func madeBy(owner string, made metav1.ObjectMeta) metav1.ObjectMeta {
	yes := true
	made.OwnerReferences = []metav1.OwnerReference{{Name: owner, UID: types.UID(owner), Controller: &yes}}
	return made
}

func ofShop(o client.Object) client.Object {
	o.SetLabels(map[string]string{shopLabel: shopName})
	return o
}

func statefulSet(name, volume string) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{ObjectMeta: named(name)}
	set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: volume}}}
	return set
}
