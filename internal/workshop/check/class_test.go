package check_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/workshop/check"
	"github.com/koshop/koshop/internal/workshop/class"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// attendee is what a class gives to one of its own: by default, all of it.
func attendee(t *testing.T, name string, without ...string) []runtime.Object {
	t.Helper()
	terms := readTerms(t)
	within := metav1.ObjectMeta{Name: "class", Namespace: name, Labels: ofClass}
	quota := corev1.ResourceList{"pods": resource.MustParse("19"), "requests.cpu": resource.MustParse("1390m"), "requests.memory": resource.MustParse("1888Mi")}
	maps.Copy(quota, terms.Counts)
	all := map[string]runtime.Object{
		"namespace": &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: ofClass}},
		"quota":     &corev1.ResourceQuota{ObjectMeta: within, Spec: corev1.ResourceQuotaSpec{Hard: quota}},
		"limits":    &corev1.LimitRange{ObjectMeta: within, Spec: terms.Limits},
		"network":   &networkingv1.NetworkPolicy{ObjectMeta: within},
		"role":      role(within, terms.Own),
		"rights":    bind(within, "Role", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: name, Name: "attendee"}),
	}
	for _, missing := range without {
		delete(all, missing)
	}
	return slices.Collect(maps.Values(all))
}

var ofClass = map[string]string{"workshop.koshop.dev/class": "spring"}

func readTerms(t *testing.T) class.Terms {
	t.Helper()
	terms, err := class.ReadTerms()
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

func role(meta metav1.ObjectMeta, rules []rbacv1.PolicyRule) *rbacv1.Role {
	return &rbacv1.Role{ObjectMeta: meta, Rules: rules}
}

// bind gives a subject the role of the binding's name.
func bind(meta metav1.ObjectMeta, kind string, subject rbacv1.Subject) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: rbacv1.RoleRef{Kind: kind, Name: meta.Name}, Subjects: []rbacv1.Subject{subject}}
}

// with returns the objects with one changed.
func with[T runtime.Object](t *testing.T, objects []runtime.Object, change func(T)) []runtime.Object {
	t.Helper()
	for _, object := range objects {
		if typed, ok := object.(T); ok {
			change(typed)
			return objects
		}
	}
	t.Fatalf("there is no %T", *new(T))
	return nil
}

// lookAtClass checks a class on a cluster that grants what allowed says.
func lookAtClass(t *testing.T, allowed func(user, right string) bool, objects ...runtime.Object) map[string]report.Finding {
	t.Helper()
	return classOn(t, objects, interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.CreateOption) error {
			review := o.(*authorizationv1.SubjectAccessReview)
			asked := review.Spec.ResourceAttributes
			review.Status.Allowed = allowed(review.Spec.User, asked.Verb+" "+asked.Resource+" "+asked.Namespace)
			return nil
		},
	})
}

func classOn(t *testing.T, objects []runtime.Object, funcs interceptor.Funcs) map[string]report.Finding {
	t.Helper()
	place := check.Place{Connect: func() (*cluster.Shop, error) { return shop(t, objects, funcs), nil }}
	found := map[string]report.Finding{}
	for _, step := range report.Run(t.Context(), check.Sections(place, "class")[0], report.Quiet{}).Steps {
		found[step.Name] = step.Finding
	}
	return found
}

// shop is one on a cluster of these objects; funcs say what is special about it.
func shop(t *testing.T, objects []runtime.Object, funcs interceptor.Funcs) *cluster.Shop {
	t.Helper()
	version := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"gitVersion": "v1.34.4"}`)) }))
	t.Cleanup(version.Close)
	byName := func(o client.Object) []string { return []string{o.GetName()} }
	c := fake.NewClientBuilder().WithRuntimeObjects(objects...).WithInterceptorFuncs(funcs).WithIndex(&appsv1.Deployment{}, "metadata.name", byName).Build()
	return &cluster.Shop{Cluster: &kube.Cluster{WithWatch: c, Config: &rest.Config{Host: version.URL}, Namespace: "api"}}
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
	two := append(attendee(t, "api-ada"), attendee(t, "api-grace")...)
	healthy := lookAtClass(t, own, two...)
	wantFinding(t, healthy["attendees"], report.Passed, "2: api-ada, api-grace")
	wantFinding(t, healthy["limits"], report.Passed, "each of 2 namespaces: 1390m CPU, 1888Mi, 19 pods")
	wantFinding(t, healthy["rights"], report.Passed, "")
	wantFinding(t, healthy["intercepts"], report.Skipped, "in a namespace of one's own")

	wantFinding(t, lookAtClass(t, own)["attendees"], report.Failed, "there is no class")
}

// How much the overlays need is not known to the check, which says what there is.
func TestClassWithOtherLimits(t *testing.T) {
	for part, saw := range map[string]string{"quota": "no quota", "limits": "no limits for containers", "network": "no network policy"} {
		wantFinding(t, lookAtClass(t, own, attendee(t, "api-ada", part)...)["limits"], report.Failed, "namespace api-ada has "+saw)
	}
	quota := func(change func(corev1.ResourceList)) report.Finding {
		ada := with(t, attendee(t, "api-ada"), func(q *corev1.ResourceQuota) { change(q.Spec.Hard) })
		return lookAtClass(t, own, append(ada, attendee(t, "api-grace")...)...)["limits"]
	}
	wantFinding(t, quota(func(hard corev1.ResourceList) { hard["requests.cpu"] = resource.MustParse("1k") }), report.Warned,
		"api-grace: 1390m CPU, 1888Mi, 19 pods\napi-ada: 1k CPU, 1888Mi, 19 pods")
	wantFinding(t, quota(func(hard corev1.ResourceList) { delete(hard, "pods") }), report.Failed, "does not bound pods")
	wantFinding(t, quota(func(hard corev1.ResourceList) { hard["count/secrets"] = resource.MustParse("5k") }), report.Failed, "count/secrets is not 10")
	wantFinding(t, quota(func(hard corev1.ResourceList) { delete(hard, "services.nodeports") }), report.Failed, "services.nodeports is not 0")

	unbounded := with(t, attendee(t, "api-ada"), func(l *corev1.LimitRange) { l.Spec.Limits = l.Spec.Limits[:1] })
	wantFinding(t, lookAtClass(t, own, unbounded...)["limits"], report.Failed, "namespace api-ada are not those of a class")
}

func TestClassWithWrongRights(t *testing.T) {
	class := append(attendee(t, "api-ada"), attendee(t, "api-grace")...)
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

// Whatever the API server is asked, the Role has to be that of the class.
func TestClassWithAnotherRole(t *testing.T) {
	const other = "role/class in api-ada gives system:serviceaccount:api-ada:attendee other rights than a class does"
	for what, change := range map[string]func(*rbacv1.Role){
		"fewer": func(r *rbacv1.Role) { r.Rules = r.Rules[1:] },
		"more": func(r *rbacv1.Role) {
			r.Rules = append(slices.Clone(r.Rules), rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"resourcequotas"}, Verbs: []string{"*"}})
		},
		"those of another class": func(r *rbacv1.Role) { r.Rules = readTerms(t).Shared },
	} {
		t.Run(what, func(t *testing.T) {
			wantFinding(t, lookAtClass(t, own, with(t, attendee(t, "api-ada"), change)...)["rights"], report.Failed, other)
		})
	}
	wantFinding(t, lookAtClass(t, own, attendee(t, "api-ada", "role")...)["rights"], report.Failed, other)
}

// An attendee has a second place at the traffic manager, and none beside that.
func TestClassWithOtherBindings(t *testing.T) {
	account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "api-ada", Name: "attendee"}
	user := rbacv1.Subject{Kind: rbacv1.UserKind, Name: "system:serviceaccount:api-ada:attendee"}
	neighbours := rbacv1.Subject{Kind: rbacv1.GroupKind, Name: "system:serviceaccounts:api-ada"}
	at := func(namespace string, labels map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: "more", Namespace: namespace, Labels: labels}
	}
	connect := readTerms(t).Connect
	for what, test := range map[string]struct {
		more []runtime.Object
		saw  string // "" where all is well
	}{
		"at the traffic manager":       {[]runtime.Object{role(at("ambassador", ofClass), connect), bind(at("ambassador", ofClass), "Role", account)}, ""},
		"somebody else's":              {[]runtime.Object{bind(at("third", nil), "ClusterRole", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "api-ada", Name: "postgres"})}, ""},
		"in a third namespace":         {[]runtime.Object{bind(at("third", nil), "ClusterRole", account)}, "rolebinding/more in third gives system:serviceaccount:api-ada:attendee the rights of clusterrole/more"},
		"in another attendee's":        {[]runtime.Object{bind(at("api-grace", nil), "ClusterRole", account)}, "rolebinding/more in api-grace"},
		"in their own":                 {[]runtime.Object{bind(at("api-ada", nil), "Role", account)}, "rolebinding/more in api-ada"},
		"without a namespace":          {[]runtime.Object{bind(at("api-ada", nil), "Role", rbacv1.Subject{Kind: account.Kind, Name: account.Name})}, "rolebinding/more in api-ada"},
		"as a user":                    {[]runtime.Object{bind(at("third", nil), "Role", user)}, "rolebinding/more in third"},
		"as one of all accounts there": {[]runtime.Object{bind(at("third", nil), "Role", neighbours)}, "rolebinding/more in third"},
		"more than to connect":         {[]runtime.Object{role(at("ambassador", ofClass), readTerms(t).Own), bind(at("ambassador", ofClass), "Role", account)}, "role/more in ambassador gives"},
		"by a label in another's":      {[]runtime.Object{role(at("api-grace", ofClass), connect), bind(at("api-grace", ofClass), "Role", account)}, "rolebinding/more in api-grace"},
		"by a label to a ClusterRole":  {[]runtime.Object{bind(at("ambassador", ofClass), "ClusterRole", account)}, "rolebinding/more in ambassador"},
		"in the whole cluster": {[]runtime.Object{&rbacv1.ClusterRoleBinding{ObjectMeta: at("", ofClass),
			RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "view"}, Subjects: []rbacv1.Subject{account}}}, "clusterrolebinding/more gives"},
	} {
		t.Run(what, func(t *testing.T) {
			objects := slices.Concat(attendee(t, "api-ada"), attendee(t, "api-grace"), test.more)
			status := report.Failed
			if test.saw == "" {
				status = report.Passed
			}
			wantFinding(t, lookAtClass(t, own, objects...)["rights"], status, test.saw)
		})
	}
}

// In a shared namespace, who intercepts has the requests of all.
func TestSharedClass(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	second := metav1.ObjectMeta{Name: "class-grace", Namespace: "api", Labels: ofClass}
	objects := append(attendee(t, "api", "namespace", "quota", "limits", "network"),
		role(second, readTerms(t).Shared), bind(second, "Role", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: "api", Name: "attendee-grace"}))
	objects = with(t, objects, func(r *rbacv1.Role) { r.Rules = readTerms(t).Shared })
	shared := lookAtClass(t, func(_, right string) bool { return right == "list pods api" }, objects...)
	wantFinding(t, shared["attendees"], report.Passed, "2: attendee, attendee-grace")
	wantFinding(t, shared["limits"], report.Passed, "nobody of the class may deploy")
	wantFinding(t, shared["rights"], report.Passed, "")
	wantFinding(t, shared["intercepts"], report.Failed, "no traffic manager")
}

// Personal intercepts need the laptops and the traffic manager to know them.
func TestPersonalIntercepts(t *testing.T) {
	class := attendee(t, "api", "namespace", "quota", "limits", "network")
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
	forbidden := interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "", nil)
	}}
	wantFinding(t, classOn(t, nil, forbidden)["attendees"], report.Skipped, "for whoever gives the workshop")
}
