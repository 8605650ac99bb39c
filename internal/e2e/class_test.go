//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// classroom is a class under test, with a directory and a manager's namespace
// of its own.
type classroom struct {
	*cluster
	program, dir, manager string
}

func newClassroom(t *testing.T) *classroom {
	t.Helper()
	c := connect(t)
	room := &classroom{cluster: c, program: filepath.Join(t.TempDir(), "workshop"), dir: t.TempDir(), manager: c.newNamespace(t)}
	if _, err := run(t, repository, "", "go", "build", "-o", room.program, "./cmd/workshop"); err != nil {
		t.Fatal(err)
	}
	return room
}

// run runs `workshop class` as the leader.
func (r *classroom) run(t *testing.T, args ...string) (output, error) {
	t.Helper()
	return run(t, repository, "", r.program, onCluster(append([]string{"class", "--dir", r.dir}, args...)...)...)
}

func (r *classroom) must(t *testing.T, args ...string) output {
	t.Helper()
	out, err := r.run(t, args...)
	if err != nil {
		t.Fatalf("workshop class %q: %v", args, err)
	}
	return out
}

func (r *classroom) kubeconfig(attendee string) string {
	return filepath.Join(r.dir, attendee+".kubeconfig")
}

// as runs a program in the repository as an attendee.
func (r *classroom) as(t *testing.T, attendee, stdin, program string, args ...string) (output, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdin = repository, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig(attendee))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	t.Logf("%s: %s %q: error %v\n%s%s", attendee, filepath.Base(program), args, err, stdout.String(), stderr.String())
	return output{stdout.String(), stderr.String()}, err
}

func (r *classroom) mustAs(t *testing.T, attendee, program string, args ...string) output {
	t.Helper()
	out, err := r.as(t, attendee, "", program, args...)
	if err != nil {
		t.Fatalf("%s: %s %q: %v\n%s", attendee, program, args, err, out.stderr)
	}
	return out
}

// may holds what `kubectl auth can-i` answers an attendee to what is expected.
func (r *classroom) may(t *testing.T, attendee, want string, questions ...string) {
	t.Helper()
	for _, question := range questions {
		out, _ := r.as(t, attendee, "", "kubectl", append([]string{"auth", "can-i"}, strings.Fields(question)...)...)
		if got := strings.TrimSpace(out.stdout); got != want {
			t.Errorf("may %s %s: %q, want %s", attendee, question, got, want)
		}
	}
}

// refused has an attendee try something, which the cluster must refuse and say why.
func (r *classroom) refused(t *testing.T, attendee, reason, stdin string, kubectl ...string) {
	t.Helper()
	out, err := r.as(t, attendee, stdin, "kubectl", kubectl...)
	if err == nil || !strings.Contains(out.stderr, reason) {
		t.Errorf("%s: kubectl %q: error %v, want a refusal with %q", attendee, kubectl, err, reason)
	}
}

// Names that come up later: one whose namespace is somebody's, one who comes late,
// and one of another class.
const taken, more, other = "e2e-taken", "e2e-more", "e2e-other"

// Two attendees have the shop side by side. Each can do the workshop in their
// own namespace, and nothing else anywhere.
func TestClassOfTwo(t *testing.T) {
	r := newClassroom(t)
	const ada, grace, mine, hers = "e2e-ada", "e2e-grace", "api-e2e-ada", "api-e2e-grace"
	for _, namespace := range []string{mine, hers, "api-" + taken, "api-" + more, "api-" + other} {
		r.claimNamespace(t, namespace)
	}
	out := r.must(t, "up", "--class", "e2e", "--attendees", ada+","+grace, "--manager-namespace", r.manager)
	r.keepsTokens(t, ada, out)
	eventually(t, "the API server knows the rights", func(ctx context.Context) error {
		_, err := r.as(t, ada, "", "kubectl", "auth", "can-i", "--quiet", "list", "pods")
		return err
	})

	t.Run("may", func(t *testing.T) {
		r.may(t, ada, "yes", "get namespaces/"+mine, "list pods", "watch events", "get pods --subresource=log",
			"create pods --subresource=exec", "get pods --subresource=exec", "create pods --subresource=portforward",
			"patch deployments.apps", "delete statefulsets.apps", "create services", "delete persistentvolumeclaims",
			"patch poddisruptionbudgets.policy", "create secrets", "patch roles/postgres", "get resourcequotas",
			"get configmaps/telepresence-agents", "get services/traffic-manager -n "+r.manager, "create pods --subresource=portforward -n "+r.manager)
	})
	t.Run("may not", func(t *testing.T) {
		r.may(t, ada, "no", "list pods -n "+hers, "create deployments.apps -n "+hers, "get secrets -n "+hers,
			"list namespaces", "create namespaces", "patch namespaces/"+mine, "delete namespaces/"+mine,
			"list nodes", "get nodes --subresource=proxy", "get secrets", "list secrets -n kube-system", "get secrets -n "+r.manager, "list secrets -A",
			"patch resourcequotas/class", "delete resourcequotas/class", "patch limitranges/class",
			"patch networkpolicies.networking.k8s.io/class", "delete networkpolicies.networking.k8s.io/class", "create networkpolicies.networking.k8s.io",
			"create roles", "patch roles/attendee", "patch rolebindings/attendee", "create rolebindings", "create clusterrolebindings",
			"escalate roles/postgres", "bind roles/postgres", "bind clusterroles/cluster-admin", "impersonate users",
			"create serviceaccounts/attendee --subresource=token", "create pods", "create daemonsets.apps", "create jobs.batch",
			"create ingresses.networking.k8s.io", "list pods -n default", "create pods --subresource=exec -n "+r.manager)
	})
	t.Run("is refused", func(t *testing.T) {
		r.refused(t, ada, "forbidden", "", "get", "namespace", hers) // can-i would ask of the one that is mine.
		r.refused(t, ada, "forbidden", "", "label", "--overwrite", "namespace", mine, "pod-security.kubernetes.io/enforce=privileged")
		r.refused(t, ada, "forbidden", "", "delete", "resourcequota", "class")
		r.refused(t, ada, "forbidden", "", "delete", "networkpolicy", "class")
		r.refused(t, ada, "forbidden", "", "create", "token", "attendee")
		r.refused(t, ada, "forbidden", "", "create", "rolebinding", "admin", "--clusterrole=cluster-admin", "--serviceaccount="+mine+":attendee")
		r.refused(t, ada, "attempting to grant RBAC permissions not currently held", widerRole, "apply", "--server-side", "-f-")
		r.refused(t, ada, "attempting to grant RBAC permissions not currently held", adminBinding, "apply", "--server-side", "-f-")
		r.refused(t, ada, "exceeded quota", `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: big}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100Gi}}}}`, "create", "-f-")
		r.refused(t, ada, "exceeded quota", "", "create", "service", "loadbalancer", "mine", "--tcp=80:80")
	})
	t.Run("is closed to others", func(t *testing.T) { r.isClosed(t, mine) })
	t.Run("is bounded", func(t *testing.T) { r.isBounded(t, grace, hers) })

	t.Run("workshop", func(t *testing.T) { r.doesTheWorkshop(t, ada, mine) })
	if table := r.must(t, "list", "--class", "e2e").stdout; !strings.Contains(table, mine) || !strings.Contains(table, hers) || !strings.Contains(table, "10/10") {
		t.Errorf("list: %s", table)
	}
	t.Run("again", func(t *testing.T) { r.putsRight(t, ada, mine) })
	t.Run("down", func(t *testing.T) { r.goesAlone(t, ada, mine, hers) })
}

// keepsTokens looks at what a kubeconfig is made of, and that no token was shown.
func (r *classroom) keepsTokens(t *testing.T, attendee string, out output) {
	t.Helper()
	data, err := os.ReadFile(r.kubeconfig(attendee))
	if err != nil {
		t.Fatal(err)
	}
	_, token, found := strings.Cut(string(data), "token: ")
	token, _, _ = strings.Cut(token, "\n")
	if !found || strings.Contains(out.stdout+out.stderr, token) {
		t.Errorf("the kubeconfig has no token (%v), or it was printed", !found)
	}
	info, err := os.Stat(r.kubeconfig(attendee))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("error %v, mode %v", err, info.Mode())
	}
}

// isClosed reads who may reach the pods of a namespace. Whether others are kept out is
// up to the network, and that of `make cluster` keeps nobody out.
func (r *classroom) isClosed(t *testing.T, namespace string) {
	out, err := run(t, repository, "", "kubectl", onCluster("describe", "networkpolicy", "class", "--namespace", namespace)...)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.stdout), " ")
	for _, want := range []string{"Allowing the specific traffic to all pods in this namespace", "Policy Types: Ingress",
		"From: PodSelector: <none> From: NamespaceSelector: kubernetes.io/metadata.name=" + r.manager + " Not affecting egress traffic"} {
		if !strings.Contains(got, want) {
			t.Errorf("the policy is %q, want %q in it", got, want)
		}
	}
}

// isBounded fills a namespace with Secrets, which an attendee cannot take back, and
// tries pods that would take more than one does of a node.
func (r *classroom) isBounded(t *testing.T, attendee, namespace string) {
	made, refusal := 0, ""
	for refusal == "" && made < 100 {
		out, err := r.as(t, attendee, "", "kubectl", "create", "secret", "generic", fmt.Sprintf("junk-%d", made))
		if err != nil {
			refusal = out.stderr
		} else {
			made++
		}
	}
	if made == 0 || !strings.Contains(refusal, "exceeded quota: class, requested: count/secrets=1") {
		t.Errorf("after %d Secrets: %q, want a refusal by the quota", made, refusal)
	}
	for resource, quantity := range map[string]string{"cpu": "64", "ephemeral-storage": "300Gi"} {
		limits := fmt.Sprintf("{%s: %q, memory: 64Mi}", resource, quantity)
		r.greedy(t, namespace, limits, "maximum "+resource+" usage per Pod is")
	}
	pod := r.greedy(t, namespace, "{memory: 64Mi}", "")
	if disk := pod.Spec.Containers[0].Resources.Limits.StorageEphemeral(); disk.IsZero() {
		t.Error("a container that does not say how much disk it takes may take any")
	}
}

// greedy has the API server look at a pod with one container of these limits, which
// is refused for a reason, or admitted for "".
func (r *classroom) greedy(t *testing.T, namespace, limits, reason string) *corev1.Pod {
	t.Helper()
	manifest := fmt.Sprintf(greedyPod, limits)
	pod := &corev1.Pod{}
	if err := yaml.UnmarshalStrict([]byte(manifest), pod); err != nil {
		t.Fatal(err)
	}
	pod, err := r.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if reason == "" && err != nil || reason != "" && (err == nil || !strings.Contains(err.Error(), reason)) {
		t.Errorf("limits %s: error %v, want %q", limits, err, reason)
	}
	return pod
}

const greedyPod = `
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: greedy
    image: example.com/greedy
    resources: {requests: {cpu: 1m, memory: 1Mi}, limits: %s}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// What an attendee might try under the only name by which they may give rights.
const (
	widerRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: postgres}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
`
	adminBinding = `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: postgres}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: attendee}]
`
)

// doesTheWorkshop reloads a program, and deploys what the class begins with.
func (r *classroom) doesTheWorkshop(t *testing.T, attendee, namespace string) {
	ko := koPath(t)
	r.mustAs(t, attendee, ko, "apply", "-k", "kustomize/overlays/dev", "--live", "--namespace", namespace, "--wait")
	r.mustAs(t, attendee, ko, "reload", "./cmd/payments-svc", "--selector", "app.kubernetes.io/name=payments-svc")
	deleted := r.mustAs(t, attendee, ko, "delete", "-k", "kustomize/overlays/dev", "--namespace", namespace)
	if want := "namespace/" + namespace + " kept, because you may not delete it\n"; !strings.Contains(deleted.stdout, want) {
		t.Errorf("deleted: %q, want a line %q", deleted.stdout, want)
	}
	applied := r.mustAs(t, attendee, ko, "apply", "-k", "kustomize/overlays/workshop", "--namespace", namespace, "--wait")
	if want := "namespace/" + namespace + " unchanged\n"; !strings.Contains(applied.stdout, want) {
		t.Errorf("applied: %q, want a line %q", applied.stdout, want)
	}
	r.mustAs(t, attendee, r.program, "check", "deploy", "--namespace", namespace)
	// All of it at once, which is what the quota is for.
	r.mustAs(t, attendee, "kubectl", "rollout", "restart", "deployments,statefulsets")
	for _, service := range services {
		r.mustAs(t, attendee, "kubectl", "rollout", "status", "deployment/"+service, "--timeout=10m")
	}
	r.mustAs(t, attendee, "kubectl", "rollout", "status", "statefulset/postgres", "--timeout=10m")
	// One who may not change the namespace cannot weaken it by an overlay either.
	weak := overlayIn(t, "kustomize/overlays/workshop", namespace,
		"patches:\n- target: {kind: Namespace}\n  patch: '{apiVersion: v1, kind: Namespace, metadata: {name: api, labels: {pod-security.kubernetes.io/enforce: privileged}}}'\n")
	out, err := r.as(t, attendee, "", ko, "apply", "-k", weak)
	if err == nil || !strings.Contains(out.stderr, "nothing was changed in the cluster: the cluster refuses namespace/"+namespace) {
		t.Errorf("weakened by an overlay: error %v, stderr %q", err, out.stderr)
	}
}

// putsRight changes things behind the back of the class, and brings it up again,
// with two more attendees, the name of one of whom is taken.
func (r *classroom) putsRight(t *testing.T, attendee, namespace string) {
	if _, err := r.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "api-" + taken}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	role, err := r.RbacV1().Roles(namespace).Get(t.Context(), "attendee", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	role.Rules = []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}
	if _, err := r.RbacV1().Roles(namespace).Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := r.CoreV1().ResourceQuotas(namespace).Delete(t.Context(), "class", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	checked, err := r.check(t)
	for _, want := range []string{"namespace " + namespace + " has no quota", "role/attendee in " + namespace + " gives system:serviceaccount:" + namespace + ":attendee other rights"} {
		if err == nil || !strings.Contains(checked.stdout, want) {
			t.Errorf("checked: error %v, want one about %q", err, want)
		}
	}
	before, err := os.ReadFile(r.kubeconfig(attendee))
	if err != nil {
		t.Fatal(err)
	}

	names := filepath.Join(t.TempDir(), "names.txt")
	writeFile(t, filepath.Dir(names), "names.txt", "# Monday\n"+attendee+"\n"+taken+"\n\n"+more+" # late\n")
	out, err := r.run(t, "up", "--class", "e2e", "--attendees-file", names, "--manager-namespace", r.manager)
	if err == nil || !strings.Contains(out.stderr, taken+": namespace api-"+taken+" is there already and of no class") {
		t.Errorf("error %v, want one about %s only", err, taken)
	}
	if after, err := os.ReadFile(r.kubeconfig(attendee)); err != nil || bytes.Equal(before, after) {
		t.Errorf("error %v; the kubeconfig is the old one", err)
	}
	eventually(t, "the rights are as they were", func(ctx context.Context) error {
		if _, err := r.as(t, attendee, "", "kubectl", "auth", "can-i", "--quiet", "get", "secrets"); err == nil {
			return fmt.Errorf("%s may get secrets", attendee)
		}
		return nil
	})
	r.may(t, attendee, "yes", "list pods")
	r.may(t, more, "yes", "list pods")
	if _, err := r.CoreV1().ResourceQuotas(namespace).Get(t.Context(), "class", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	eventually(t, "the class is as it was", func(context.Context) error {
		_, err := r.check(t)
		return err
	})
	if _, err := os.Stat(r.kubeconfig(taken)); err == nil {
		t.Errorf("%s has a kubeconfig", taken)
	}
}

// check has the leader look at the class.
func (r *classroom) check(t *testing.T) (output, error) {
	t.Helper()
	return run(t, repository, "", r.program, onCluster("check", "class")...)
}

// goesAlone takes the class down while there is another.
func (r *classroom) goesAlone(t *testing.T, attendee string, namespaces ...string) {
	r.must(t, "up", "--class", other, "--attendees", other, "--manager-namespace", r.manager)
	out, err := r.run(t, "down", "--class", "e2e")
	if err == nil || !strings.Contains(out.stderr, "namespace/api-"+attendee) || !strings.Contains(out.stderr, "nothing was deleted") {
		t.Errorf("without an answer: error %v", err)
	}
	r.must(t, "list", "--class", "e2e")

	r.must(t, "down", "--class", "e2e", "--yes")
	for _, namespace := range append(namespaces, "api-"+more) {
		r.namespaceGone(t, namespace)
	}
	for _, namespace := range []string{"api-" + taken, "api-" + other} {
		if _, err := r.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
			t.Errorf("a namespace that is not the class's: %v", err)
		}
	}
	if got, want := r.connections(t), []string{"api-" + other + ".attendee"}; !slices.Equal(got, want) {
		t.Errorf("rights at the traffic manager: %q, want %q", got, want)
	}
	if _, err := os.Stat(r.kubeconfig(attendee)); err == nil {
		t.Errorf("the kubeconfig of %s is still there", attendee)
	}
	if _, err := os.Stat(r.kubeconfig(other)); err != nil {
		t.Error(err)
	}
	r.must(t, "down", "--class", "e2e") // Nothing to ask about.
	r.must(t, "down", "--class", other, "--yes")
}

// connections are the bindings where the traffic manager is.
func (r *classroom) connections(t *testing.T) []string {
	t.Helper()
	list, err := r.RbacV1().RoleBindings(r.manager).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, binding := range list.Items {
		names = append(names, binding.Name)
	}
	return names
}

// In a namespace that all share, attendees look and intercept.
func TestClassThatShares(t *testing.T) {
	r := newClassroom(t)
	namespace, attendee := r.newNamespace(t), "attendee-01"
	up := []string{"up", "--class", "e2e-shared", "--size", "2", "--shared", "--manager-namespace", r.manager, "--namespace"}
	out, err := r.run(t, append(up, "e2e-no-such")...)
	if err == nil || !strings.Contains(out.stderr, "namespace e2e-no-such, which the class is to share, is not there") {
		t.Errorf("no shop: error %v", err)
	}
	r.must(t, append(up, namespace)...)
	eventually(t, "the API server knows the rights", func(ctx context.Context) error {
		_, err := r.as(t, attendee, "", "kubectl", "auth", "can-i", "--quiet", "list", "pods")
		return err
	})
	r.may(t, attendee, "yes", "list pods", "watch services", "get deployments.apps", "get statefulsets.apps", "watch replicasets.apps", "get pods --subresource=log",
		"create pods --subresource=portforward", "get configmaps/telepresence-agents", "create pods --subresource=portforward -n "+r.manager)
	r.may(t, attendee, "no", "create pods --subresource=exec", "patch deployments.apps", "delete pods", "create services", "get secrets", "create secrets",
		"patch namespaces/"+namespace, "list pods -n kube-system", "create rolebindings", "list namespaces")
	if table := r.must(t, "list", "--class", "e2e-shared").stdout; strings.Count(table, namespace) != 2 {
		t.Errorf("list: %s", table)
	}
	r.must(t, "down", "--class", "e2e-shared", "--yes")
	if _, err := r.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("the namespace that was shared: %v", err)
	}
	if left := r.connections(t); len(left) > 0 {
		t.Errorf("rights at the traffic manager: %q", left)
	}
	accounts, err := r.CoreV1().ServiceAccounts(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "workshop.koshop.dev/class"})
	if err != nil || len(accounts.Items) > 0 {
		t.Errorf("error %v, %d accounts are left", err, len(accounts.Items))
	}
}
