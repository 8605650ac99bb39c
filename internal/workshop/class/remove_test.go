package class

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// One that may not be deleted, and one that does not go, stop no other.
func TestRemoveGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := seatNamespace("stuck")
		stuck.SetFinalizers([]string{"example.com/kept"})
		objects := []client.Object{seatNamespace("refused"), stuck, seatNamespace("ada"), seatRole("ada")}
		c := refusing(t, newSchool(objects...), "api-refused")
		stay, err := c.Remove(t.Context(), objects, progress.New(io.Discard))
		if want := []string{"namespace/api-refused"}; !slices.Equal(places(stay), want) {
			t.Errorf("%q stay, want %q", places(stay), want)
		}
		for _, want := range []string{"namespace/api-refused: not allowed", "namespace/api-stuck: it is still going after 10m0s: kubectl describe says what keeps it"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
		found, err := c.Belongings(t.Context(), "monday")
		if want := []string{"namespace/api-refused", "namespace/api-stuck"}; err != nil || !slices.Equal(found.Names(), want) {
			t.Errorf("there are %q, error %v, want %q", found.Names(), err, want)
		}
	})
}

// Who interrupts it is told that it goes on with the rest, and no more.
func TestRemoveInterrupted(t *testing.T) {
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	stuck := seatNamespace("stuck")
	stuck.SetFinalizers([]string{"example.com/kept"})
	objects := []client.Object{seatNamespace("refused"), stuck}
	c := newSchool(objects...)
	c.WithWatch = interceptor.NewClient(c.WithWatch, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			cancel(stop)
			return w.Get(ctx, key, o, opts...)
		},
	})
	c = refusing(t, c, "api-refused")
	stay, err := c.Remove(ctx, objects, progress.New(io.Discard))
	if !errors.Is(err, stop) || strings.Contains(err.Error(), "\n") || !slices.Equal(places(stay), []string{"namespace/api-refused"}) {
		t.Errorf("%q stay, error %v", places(stay), err)
	}
}

// An attendee's kubeconfig stays where something does that it opens. It goes when
// that is going, for a later run would not find what has gone by then.
func TestDownKeepsKubeconfigs(t *testing.T) {
	dir := t.TempDir()
	for attendee, class := range map[string]string{"ada": "monday", "stuck": "monday", "refused": "monday", "of-none": "monday", "of-both": "tuesday"} {
		config := `{"kind": "Config", "apiVersion": "v1", "clusters": [{"name": "` + class + `", "cluster": {"server": "https://school.example.com"}}]}`
		if err := os.WriteFile(kubeconfigFile(dir, attendee), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		stuck := seatNamespace("stuck")
		stuck.SetFinalizers([]string{"example.com/kept"})
		c := refusing(t, newSchool(seatNamespace("ada"), stuck, seatNamespace("refused"), seatNamespace("of-both"), seatNamespace("no-file")), "api-refused")
		found, err := c.Belongings(t.Context(), "monday")
		if err != nil {
			t.Fatal(err)
		}
		err = c.Down(t.Context(), found, dir, progress.New(io.Discard))
		if err == nil || !strings.Contains(err.Error(), "namespace/api-refused: not allowed") {
			t.Errorf("error %v", err)
		}
	})
	for attendee, want := range map[string]bool{"ada": false, "stuck": false, "refused": true, "of-none": true, "of-both": true} {
		if _, err := os.Stat(kubeconfigFile(dir, attendee)); (err == nil) != want {
			t.Errorf("kubeconfig of %s: error %v, want one: %v", attendee, err, want)
		}
	}
}

// A class is found by whatever it has: one that shares has no namespace.
func TestClasses(t *testing.T) {
	c := newSchool(namespace("api", nil), namespace("api-grace", map[string]string{Label: "tuesday"}),
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "attendee-ada", Namespace: "api", Labels: map[string]string{Label: "monday"}}},
		seatRole("ada"))
	names, err := c.Classes(t.Context())
	if want := []string{"monday", "tuesday"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%q, error %v, want %q", names, err, want)
	}
}

func seatNamespace(attendee string) client.Object {
	return namespace("api-"+attendee, map[string]string{Label: "monday", attendeeLabel: attendee})
}

func seatRole(attendee string) client.Object {
	return &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "api-" + attendee + ".attendee", Namespace: "ambassador",
		Labels: map[string]string{Label: "monday", attendeeLabel: attendee}}}
}

// refusing returns the cluster with one object that may not be deleted.
func refusing(t *testing.T, c *School, name string) *School {
	t.Helper()
	return On(&kube.Cluster{Config: c.Config, WithWatch: interceptor.NewClient(c.WithWatch, interceptor.Funcs{
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if o.GetName() == name {
				return errors.New("not allowed")
			}
			return w.Delete(ctx, o, opts...)
		},
	})})
}
