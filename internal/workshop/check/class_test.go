package check_test

import (
	appsv1 "k8s.io/api/apps/v1"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// attendee is what a class gives to one of its own: by default, all of it.
func attendee(name string, without ...string) []runtime.Object {
	of := map[string]string{"workshop.koshop.dev/class": "spring"}
	within := metav1.ObjectMeta{Name: "class", Namespace: name, Labels: of}
	all := map[string]runtime.Object{
		"namespace": &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: of}},
		"quota":     &corev1.ResourceQuota{ObjectMeta: within},
		"limits":    &corev1.LimitRange{ObjectMeta: within},
		"rights": &rbacv1.RoleBinding{ObjectMeta: within,
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: name, Name: "attendee"}}},
	}
	for _, missing := range without {
		delete(all, missing)
	}
	var objects []runtime.Object
	for _, object := range all {
		objects = append(objects, object)
	}
	return objects
}

// lookAtClass checks a class on a cluster that grants what allowed says.
func lookAtClass(t *testing.T, allowed func(user, right string) bool, objects ...runtime.Object) map[string]report.Finding {
	t.Helper()
	clientset := fake.NewClientset(objects...)
	clientset.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview)
		asked := review.Spec.ResourceAttributes
		review.Status.Allowed = allowed(review.Spec.User, asked.Verb+" "+asked.Resource+" "+asked.Namespace)
		return true, review, nil
	})
	return classOn(t, clientset)
}

func classOn(t *testing.T, clientset *fake.Clientset) map[string]report.Finding {
	t.Helper()
	place := check.Place{Connect: func() (*cluster.Cluster, error) {
		return &cluster.Cluster{Interface: clientset, Config: &rest.Config{Host: "https://fake"}, Namespace: "api"}, nil
	}}
	found := map[string]report.Finding{}
	for _, step := range report.Run(t.Context(), check.Sections(place, "class")[0], report.Quiet{}).Steps {
		found[step.Name] = step.Finding
	}
	return found
}

// own is what an attendee may do: work in their own namespace.
func own(user, right string) bool {
	namespace := strings.Split(user, ":")[2]
	return right == "list pods "+namespace || right == "create deployments "+namespace
}

func wantFinding(t *testing.T, got report.Finding, status report.Status, saw string) {
	t.Helper()
	if got.Status != status || !strings.Contains(got.Saw, saw) {
		t.Errorf("%s: %s\n→ %s\nwant %s: %s", got.Status, got.Saw, got.Next, status, saw)
	}
}

func TestClass(t *testing.T) {
	healthy := lookAtClass(t, own, append(attendee("api-ada"), attendee("api-grace")...)...)
	wantFinding(t, healthy["attendees"], report.Passed, "2: api-ada, api-grace")
	wantFinding(t, healthy["limits"], report.Passed, "2 namespaces")
	wantFinding(t, healthy["rights"], report.Passed, "")
	wantFinding(t, healthy["intercepts"], report.Passed, "of their own")

	wantFinding(t, lookAtClass(t, own)["attendees"], report.Failed, "there is no class")
	for _, part := range []string{"quota", "limits"} {
		wantFinding(t, lookAtClass(t, own, attendee("api-ada", part)...)["limits"], report.Failed, "namespace api-ada has no quota, or no limits")
	}
}

func TestClassWithWrongRights(t *testing.T) {
	class := append(attendee("api-ada"), attendee("api-grace")...)
	for right, saw := range map[string]string{
		"list pods kube-system":        `may list pods in "kube-system"`,
		"create namespaces ":           "may create namespaces",
		"list secrets api-ada":         `api-ada:attendee may list secrets in "api-ada"`,
		"create deployments api-grace": `api-ada:attendee may create deployments.apps in "api-grace"`,
	} {
		more := func(user, asked string) bool { return own(user, asked) || asked == right }
		wantFinding(t, lookAtClass(t, more, class...)["rights"], report.Failed, saw)
	}
	nothing := func(string, string) bool { return false }
	wantFinding(t, lookAtClass(t, nothing, class...)["rights"], report.Failed, "may not list pods")
}

// In a shared namespace, who intercepts has the requests of all.
func TestSharedClass(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	second := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "class-grace", Namespace: "api", Labels: map[string]string{"workshop.koshop.dev/class": "spring"}},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "api", Name: "attendee-grace"}},
	}
	shared := lookAtClass(t, func(_, right string) bool { return right == "list pods api" },
		append(attendee("api", "namespace", "quota", "limits"), second)...)
	wantFinding(t, shared["attendees"], report.Passed, "2: attendee, attendee-grace")
	wantFinding(t, shared["limits"], report.Passed, "nobody of the class may deploy")
	wantFinding(t, shared["rights"], report.Passed, "")
	wantFinding(t, shared["intercepts"], report.Failed, "no traffic manager")
}

// Personal intercepts need the laptops and the traffic manager to know them.
func TestPersonalIntercepts(t *testing.T) {
	class := attendee("api", "namespace", "quota", "limits")
	look := func(manager string) report.Finding {
		return lookAtClass(t, own, append(slices.Clone(class), &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
			Name: "traffic-manager", Namespace: "ambassador", Labels: map[string]string{"app.kubernetes.io/version": manager}}})...)["intercepts"]
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	wantFinding(t, look("2.31.0"), report.Warned, "not on PATH")
	wantFinding(t, look("2.20.2"), report.Warned, "namespace ambassador is Telepresence 2.20.2")
	wantFinding(t, look(""), report.Warned, "namespace ambassador is Telepresence unknown")
	for client, want := range map[string]report.Status{"2.20.2": report.Warned, "2.31.0": report.Passed} {
		script := "#!/bin/sh\necho 'OSS Client : v" + client + "'\n"
		if err := os.WriteFile(filepath.Join(dir, "telepresence"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, look("2.31.0"), want, "Telepresence "+client)
	}
}

// An attendee need not see who else is there.
func TestClassForAttendees(t *testing.T) {
	clientset := fake.NewClientset()
	clientset.PrependReactor("list", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "", nil)
	})
	wantFinding(t, classOn(t, clientset)["attendees"], report.Skipped, "for whoever gives the workshop")
}
