//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/workshop/flow"
)

// interceptor is a `make intercept SVC=payments-svc` under test.
type interceptor struct {
	dir    string // a copy of the repository
	port   int
	cmd    *exec.Cmd
	output *safeBuffer
}

// start starts it as the leader of a process group, as a terminal does.
func (i *interceptor) start(t *testing.T, args ...string) {
	t.Helper()
	i.output = &safeBuffer{}
	i.cmd = exec.Command("make", append([]string{"intercept", "PORT=" + strconv.Itoa(i.port)}, args...)...)
	i.cmd.Dir = i.dir
	i.cmd.Stdout, i.cmd.Stderr = i.output, i.output
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := i.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // A test that fails may not have ended it.
		i.cmd.Process.Signal(syscall.SIGTERM)
		i.cmd.Wait()
	})
}

func (i *interceptor) prints(t *testing.T, text string) {
	t.Helper()
	eventually(t, "it prints "+text, func(context.Context) error {
		if !strings.Contains(i.output.String(), text) {
			return fmt.Errorf("it printed\n%s", i.output)
		}
		return nil
	})
}

// process returns the id of the process that runs an executable of the copy.
func (i *interceptor) process(t *testing.T, executable string) int {
	t.Helper()
	for _, process := range processesOf(t, i.dir) {
		if link, path, _ := strings.Cut(process, ": "); path == filepath.Join(i.dir, executable) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err == nil {
				return pid
			}
		}
	}
	t.Fatalf("%s does not run\n%s", executable, i.output)
	return 0
}

// leftNothing waits until no process and no intercept is left.
func (i *interceptor) leftNothing(t *testing.T) {
	t.Helper()
	eventually(t, "nothing is left", func(context.Context) error {
		if left := processesOf(t, i.dir); len(left) > 0 {
			return fmt.Errorf("processes are left: %q", left)
		}
		if list := mustTelepresence(t, "list", "--intercepts"); strings.Contains(list, "payments-svc") {
			return fmt.Errorf("an intercept is left: %s", list)
		}
		return nil
	})
}

// fails runs it to an end that must say what is wrong.
func (i *interceptor) fails(t *testing.T, want string, args ...string) {
	t.Helper()
	i.start(t, args...)
	err := i.cmd.Wait()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(i.output.String(), want) {
		t.Errorf("make intercept %q: error %v, want %q in\n%s", args, err, want, i.output)
	}
}

// end sends a signal to a process, or to a group by its negative id, and waits
// until make has ended.
func (i *interceptor) end(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
	i.cmd.Wait() // The status is that of the signal.
}

// A payment that the gateway is asked for is made by the process on this
// machine. However that ends, nothing is left, the cluster makes the payments
// again, and the next intercept works.
func testInterceptEnds(t *testing.T) {
	i := &interceptor{dir: clone(t), port: kittest.FreePort(t)}
	edit(t, i.dir, "Hi from this machine!")
	for _, end := range []struct {
		how string
		do  func()
	}{
		{"Ctrl-C", func() { i.end(t, -i.cmd.Process.Pid, syscall.SIGINT) }},
		{"the terminal is closed", func() { i.end(t, -i.cmd.Process.Pid, syscall.SIGHUP) }},
		{"make is asked to end", func() { i.end(t, i.cmd.Process.Pid, syscall.SIGTERM) }},
		{"make is killed", func() { i.end(t, i.cmd.Process.Pid, syscall.SIGKILL) }},
		{"intercept is killed", func() { i.end(t, i.process(t, "bin/intercept"), syscall.SIGKILL) }},
		{"the local process ends", func() { i.end(t, i.process(t, "bin/ko"), syscall.SIGTERM) }},
	} {
		t.Run(end.how, func(t *testing.T) {
			i.start(t, "SVC=payments-svc")
			i.prints(t, "payments-svc: intercepted")
			serves(t, "http://payments-svc/healthz", `"Hi from this machine!"`)
			payment := paidAt(t, fmt.Sprintf("http://localhost:%d", i.port))
			end.do()
			i.leftNothing(t)
			serves(t, "http://payments-svc/healthz", `"Hi Mom!"`)
			has(t, "http://payments-svc", payment, http.StatusNotFound)
			paidAt(t, "http://payments-svc")
		})
	}
}

// paidAt buys something in the cluster until the payment is made where it should
// be, and returns the payment's id. For a few seconds the gateway may keep the
// connections that it has.
func paidAt(t *testing.T, payments string) (id string) {
	t.Helper()
	shop := flow.Shop{Gateway: "http://api-gateway", Users: "http://user-svc"}
	eventually(t, "payments are made at "+payments, func(ctx context.Context) error {
		receipt, err := shop.Walk(ctx, uuid.NewString()+"@example.com")
		if err != nil {
			return err
		}
		id = receipt.PaymentID
		if status, _, err := get(ctx, payments+"/payments/"+id); err != nil || status != http.StatusOK {
			return fmt.Errorf("payment %s: status %d, error %v", id, status, err)
		}
		return nil
	})
	return id
}

// has looks for a payment.
func has(t *testing.T, payments, id string, status int) {
	t.Helper()
	got, _, err := get(t.Context(), payments+"/payments/"+id)
	if err != nil || got != status {
		t.Errorf("%s: the payment is answered by %d, want %d (error %v)", payments, got, status, err)
	}
}

// A second one does not disturb the first, which goes on reloading; what
// telepresence itself has left is in nobody's way; and if no intercept can be
// made, nothing is left.
func testInterceptObstacles(t *testing.T, c *cluster) {
	first := &interceptor{dir: clone(t), port: kittest.FreePort(t)}
	first.start(t, "SVC=payments-svc")
	first.prints(t, "payments-svc: intercepted")
	second := &interceptor{dir: first.dir, port: kittest.FreePort(t)}
	second.fails(t, "this machine intercepts payments-svc already, by what listens on port "+strconv.Itoa(first.port), "SVC=payments-svc")
	second.port = first.port
	second.fails(t, "this machine intercepts payments-svc already", "SVC=product-svc")
	edit(t, first.dir, "Hi again!")
	serves(t, "http://payments-svc/healthz", `"Hi again!"`)
	first.end(t, -first.cmd.Process.Pid, syscall.SIGINT)
	first.leftNothing(t)

	mustTelepresence(t, "intercept", "payments-svc", "--port="+strconv.Itoa(kittest.FreePort(t)), "--mount=false")
	first.start(t, "SVC=payments-svc")
	first.prints(t, "payments-svc: left an intercept that led to nobody")
	first.prints(t, "payments-svc: intercepted")
	first.end(t, -first.cmd.Process.Pid, syscall.SIGINT)
	first.leftNothing(t)

	first.fails(t, "no workload payment-svc to run", "SVC=payment-svc")
	if err := c.AppsV1().Deployments(interceptedShop).Delete(t.Context(), "product-svc", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	first.fails(t, `workload "product-svc.`+interceptedShop+`" not found`, "SVC=product-svc")
	first.leftNothing(t)
}

// Without a connection nothing is connected to, and nothing started.
func TestInterceptWithoutAConnection(t *testing.T) {
	i := &interceptor{dir: repository, port: kittest.FreePort(t)}
	i.fails(t, "SVC is not set: name the service to intercept, as in make intercept SVC=payments-svc")
	if _, err := exec.LookPath("telepresence"); err != nil {
		i.fails(t, "telepresence is not on PATH: install it", "SVC=payments-svc")
		return
	}
	if connected(t) {
		t.Skip("telepresence is connected")
	}
	i.fails(t, "telepresence is not connected: run telepresence connect", "SVC=payments-svc")
	if connected(t) {
		t.Error("telepresence is connected now")
	}
}
