package watch_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/koshop/koshop/internal/kit/watch"
)

// TestLimits runs into the limits of a user namespace of its own, where nobody
// else is affected.
func TestLimits(t *testing.T) {
	for limit, test := range map[string]struct {
		run  func(*testing.T) error
		want string
	}{
		"max_inotify_watches": {want: "max_user_watches", run: func(t *testing.T) error {
			w, err := watch.New(watch.Events, nil)
			must(t, err)
			return errors.Join(w.Set([]string{t.TempDir(), t.TempDir()}), w.Close())
		}},
		"max_inotify_instances": {want: "max_user_instances", run: func(t *testing.T) error {
			one, err := watch.New(watch.Events, nil)
			must(t, err)
			_, err = watch.New(watch.Events, nil)
			return errors.Join(err, one.Close())
		}},
	} {
		t.Run(limit, func(t *testing.T) {
			if !inNamespace(t) {
				return
			}
			if err := os.WriteFile("/proc/sys/user/"+limit, []byte("1"), 0); err != nil {
				t.Skip(err)
			}
			if err := test.run(t); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error does not name %s: %v", test.want, err)
			}
		})
	}
}

// inNamespace reports whether the test runs in a user namespace of its own. If
// not, it runs it in one.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const marker = "WATCH_IN_NAMESPACE"
	if os.Getenv(marker) != "" {
		return true
	}
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	_, ran := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && !ran || strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("this system allows no user namespaces with limits: %v\n%s", err, out)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}
