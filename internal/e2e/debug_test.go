//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/delve"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// A service runs under Delve in its pod: a breakpoint in a file of the checkout
// stops it there, edits go on taking over, and without --debug it is as before.
func TestDebugInThePod(t *testing.T) {
	p := deployLive(t)
	edit(t, p.checkout, "Hi debugger!")
	p.mustReload(t, "--debug")
	serves(t, p.url, `"Hi debugger!"`)
	p.stopsAtABreakpoint(t, p.forwardPort(t, "api", "payments-svc", wire.DebugPort))
	edit(t, p.checkout, "Hi again!")
	out := p.mustReload(t, "--debug")
	if strings.Contains(out.stderr, "MB sent") {
		t.Errorf("more is sent than the difference: %s", out.stderr)
	}
	serves(t, p.url, `"Hi again!"`)
	p.stopsAtABreakpoint(t, p.forwardPort(t, "api", "payments-svc", wire.DebugPort))
	edit(t, p.checkout, "Hi without!")
	p.mustReload(t)
	serves(t, p.url, `"Hi without!"`)
}

// stopsAtABreakpoint attaches Delve's own client to an address, sets a breakpoint
// by file and line, and asks for a payment.
func (p *livePayments) stopsAtABreakpoint(t *testing.T, address string) {
	t.Helper()
	file := filepath.Join(p.checkout, "internal/shop/payments/service.go")
	p.write(t, filepath.Join(p.checkout, "dlv.txt"), strings.Join([]string{
		"break " + file + ":" + lineOf(t, file, "s.cashier.find(ctx, in.ID)"),
		"continue", "print in.ID", "clearall", "exit -c",
	}, "\n"))
	tools, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	dlv, err := delve.Command.Executable(t.Context(), tools.Run, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := exec.CommandContext(ctx, dlv, "connect", address, "--init", filepath.Join(p.checkout, "dlv.txt"))
	said := make(chan string, 1)
	go func() {
		out, _ := client.CombinedOutput()
		said <- string(out)
	}()
	const payment = "6b1d6e7e-9c38-4a53-a0a1-000000000001"
	var out string
	eventually(t, "the breakpoint stops the service", func(ctx context.Context) error {
		if _, _, err := get(ctx, strings.TrimSuffix(p.url, "healthz")+"payments/"+payment); err != nil {
			return err
		}
		select {
		case out = <-said:
			return nil
		default:
			return errors.New("it answers")
		}
	})
	if !strings.Contains(out, "service.go") || !strings.Contains(out, `"`+payment+`"`) {
		t.Errorf("Delve says %s", out)
	}
}

// lineOf returns the number of the only line with a text.
func lineOf(t *testing.T, file, text string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(source), text)
	if !found {
		t.Fatalf("%s has no %s", file, text)
	}
	return strconv.Itoa(strings.Count(before, "\n") + 1)
}
