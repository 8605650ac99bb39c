//go:build unix

package intercept

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// telepresence runs a command of that program, which talks to its daemon. It is
// not interrupted: the daemon would go on, and make an intercept when we are gone.
// Until it ends, it holds a file. An error has what telepresence says is wrong,
// and not what it says of its logs.
func telepresence(hold *os.File, args ...string) (stdout []byte, err error) {
	cmd := exec.Command("telepresence", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if hold != nil {
		cmd.ExtraFiles = []*os.File{hold}
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("telepresence %s: %s", args[0], reason(stderr.String(), err))
	}
	return out.Bytes(), nil
}

// reason finds the line with the error in what telepresence prints.
func reason(stderr string, err error) string {
	for line := range strings.Lines(stderr) {
		if _, reason, found := strings.Cut(line, ": error: "); found {
			return strings.TrimSpace(reason)
		}
	}
	return err.Error()
}

// connected fails unless there is a connection: every other command would make
// one, to the namespace of the current context.
func connected() error {
	if _, err := exec.LookPath("telepresence"); err != nil {
		return errors.New("telepresence is not on PATH: install it as https://telepresence.io/docs/install/client says")
	}
	out, err := telepresence(nil, "status", "--output=json")
	if err != nil {
		return err
	}
	if !isConnected(out) {
		return errors.New("telepresence is not connected: run telepresence connect --namespace=api, or with the namespace that your shop is in")
	}
	return nil
}

// isConnected reads what `telepresence status` prints. In a container there is
// one daemon instead of two.
func isConnected(status []byte) bool {
	type daemon struct{ Status string }
	var all struct {
		User   daemon `json:"user_daemon"`
		Single daemon `json:"daemon"`
	}
	err := json.Unmarshal(status, &all)
	return err == nil && (all.User.Status == "Connected" || all.Single.Status == "Connected")
}

// spec is an intercept of this machine.
type spec struct {
	Name       string
	TargetPort int `json:"target_port"`
}

// intercepts reads what `telepresence list --intercepts` prints.
func intercepts(list []byte) ([]spec, error) {
	var all struct {
		Stdout []struct {
			Intercepts []struct{ Spec spec } `json:"intercept_infos"`
		}
	}
	if err := json.Unmarshal(list, &all); err != nil {
		return nil, fmt.Errorf("reading the list of intercepts: %w", err)
	}
	var specs []spec
	for _, workload := range all.Stdout {
		for _, intercept := range workload.Intercepts {
			specs = append(specs, intercept.Spec)
		}
	}
	return specs, nil
}

// leaveStale leaves the intercepts of this machine that are in the way and lead to
// nobody, as they do when telepresence was killed. One that leads to somebody is
// an error.
func leaveStale(service string, port int, out io.Writer) error {
	list, err := telepresence(nil, "list", "--intercepts", "--output=json")
	if err != nil {
		return err
	}
	specs, err := intercepts(list)
	if err != nil {
		return err
	}
	for _, s := range specs {
		if s.Name != service && s.TargetPort != port {
			continue
		}
		if listens(s.TargetPort) {
			return fmt.Errorf("this machine intercepts %s already, by what listens on port %d: end that, or run telepresence leave %s", s.Name, s.TargetPort, s.Name)
		}
		if _, err := telepresence(nil, "leave", s.Name); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: left an intercept that led to nobody\n", s.Name)
	}
	return nil
}

// intercept makes an intercept, which the guard leaves.
func (g *guard) intercept(port int) error {
	_, err := telepresence(g.pipe, "intercept", g.service, "--port="+strconv.Itoa(port), "--mount=false")
	if err != nil && strings.Contains(err.Error(), "Conflicts with the currently-served intercept") {
		err = fmt.Errorf("somebody else intercepts %s: ask them to leave it, or use a namespace of your own (%w)", g.service, err)
	}
	return err
}
