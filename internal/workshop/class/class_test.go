package class

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// The rights of an attendee name what they are of: there is no wildcard, and none
// of the verbs by which rights are widened.
func TestRightsAreNamed(t *testing.T) {
	terms, err := ReadTerms()
	if err != nil {
		t.Fatal(err)
	}
	for where, rules := range map[string][]rbacv1.PolicyRule{"own": terms.Own, "shared": terms.Shared, "connect": terms.Connect} {
		if len(rules) == 0 {
			t.Errorf("%s: no rights", where)
		}
		for _, rule := range rules {
			words := slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs)
			for _, word := range []string{"*", "escalate", "bind", "impersonate"} {
				if slices.Contains(words, word) {
					t.Errorf("%s: %v has %q", where, rule, word)
				}
			}
		}
	}
}

// What goes wrong with one attendee is told, and the others have their place.
func TestUpGoesOn(t *testing.T) {
	c := newSchool(
		namespace("api-taken", nil),
		namespace("api-other", map[string]string{Label: "tuesday"}),
		namespace("ambassador", nil))
	class := &Class{Name: "monday", Attendees: []string{"taken", "ada", "other", "grace"}, Manager: "ambassador", Valid: time.Hour, Dir: t.TempDir()}
	var log bytes.Buffer
	ready, err := c.Up(t.Context(), class, progress.New(&log))
	for _, want := range []string{"taken: namespace api-taken is there already and of no class", "other: namespace api-other is there already and of class tuesday"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if !ready.Connectable {
		t.Error("the traffic manager's namespace was not seen")
	}
	for attendee, want := range map[string]bool{"ada": true, "grace": true, "taken": false, "other": false} {
		if _, err := os.Stat(kubeconfigFile(class.Dir, attendee)); (err == nil) != want {
			t.Errorf("kubeconfig of %s: error %v, want one: %v", attendee, err, want)
		}
	}

	found, err := c.Belongings(t.Context(), "monday")
	want := []string{
		"rolebinding/api-ada.attendee in ambassador", "rolebinding/api-grace.attendee in ambassador",
		"role/api-ada.attendee in ambassador", "role/api-grace.attendee in ambassador",
		"namespace/api-ada", "namespace/api-grace",
	}
	if err != nil || !slices.Equal(found.Names(), want) || !slices.Equal(found.Attendees, []string{"ada", "grace"}) {
		t.Errorf("error %v, found %q of %q, want %q", err, found.Names(), found.Attendees, want)
	}
	if err := c.Down(t.Context(), found, class.Dir, progress.New(&log)); err != nil {
		t.Fatal(err)
	}
	left, err := c.Belongings(t.Context(), "monday")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left.Names() { // No real API server keeps what was in a namespace.
		if !strings.HasSuffix(name, " in api-ada") && !strings.HasSuffix(name, " in api-grace") {
			t.Errorf("%s is left", name)
		}
	}
	for _, name := range []string{"api-taken", "api-other", "ambassador"} {
		if namespace, err := c.namespace(t.Context(), name); err != nil || namespace == nil {
			t.Errorf("namespace %s is gone, error %v", name, err)
		}
	}
	if _, err := os.Stat(kubeconfigFile(class.Dir, "ada")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the kubeconfig of ada: error %v", err)
	}
}

// Two classes that share a directory and a name do not share a kubeconfig: who comes
// second is refused before anything is made, and takes nothing along.
func TestKubeconfigsOfAnotherClass(t *testing.T) {
	c, dir := newSchool(namespace("api", nil)), t.TempDir()
	up := func(name string, attendees ...string) error {
		_, err := c.Up(t.Context(), &Class{Name: name, Attendees: attendees, Shared: "api", Manager: "ambassador", Valid: time.Hour, Dir: dir}, progress.New(io.Discard))
		return err
	}
	if err := errors.Join(up("monday", "ada"), up("monday", "ada")); err != nil {
		t.Fatal(err)
	}
	own := kubeconfigFile(dir, "grace")
	if err := os.WriteFile(own, []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(kubeconfigFile(dir, "ada"))
	if err != nil {
		t.Fatal(err)
	}
	err = up("tuesday", "ada", "grace", "edsger")
	for _, want := range []string{`ada.kubeconfig is there already and leads to ["monday"], not to class tuesday`, "looking whose " + own + " is"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	found, err := c.Belongings(t.Context(), "tuesday")
	if err != nil || !slices.Equal(found.Attendees, []string{"edsger"}) {
		t.Errorf("error %v, class tuesday has %q", err, found.Attendees)
	}
	found.Attendees = append(found.Attendees, "ada", "grace") // As if they had been made before their files were there.
	if err := c.Down(t.Context(), found, dir, progress.New(io.Discard)); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(kubeconfigFile(dir, "ada")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the kubeconfig of class monday: error %v, changed %v", err, !bytes.Equal(before, after))
	}
	if _, err := os.Stat(own); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(kubeconfigFile(dir, "edsger")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the kubeconfig of class tuesday: error %v", err)
	}
}

// Who interrupts it is told that once, not for every attendee.
func TestUpInterrupted(t *testing.T) {
	stop := errors.New("interrupted")
	names, err := Numbered(20)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := 0
	err = each(ctx, names[:1], func(int, string) error {
		cancel(stop)
		done++
		return ctx.Err()
	})
	if !errors.Is(err, stop) || strings.Count(err.Error(), "\n") > 0 || done != 1 {
		t.Errorf("error %v after %d", err, done)
	}
	if err := each(ctx, names, func(int, string) error { done++; return nil }); !errors.Is(err, stop) || done != 1 {
		t.Errorf("begun afterwards: %d, error %v", done-1, err)
	}
}

func newSchool(objects ...client.Object) *School {
	// The default, by the types of the API, cannot merge a NetworkPolicy.
	converter := managedfields.NewDeducedTypeConverter()
	c := fake.NewClientBuilder().WithTypeConverters(converter).WithObjects(objects...).Build()
	return On(&kube.Cluster{WithWatch: c, Config: &rest.Config{Host: "https://school.example.com"}})
}

func namespace(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}
