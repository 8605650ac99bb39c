package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/cmd/cluster/internal/host"
)

// Down takes the node and everything it has left on the machine away: processes, mounts,
// interfaces, firewall rules, control groups, kernel settings, files. DIR/bin, which is
// what took long to build, stays unless purge. It works from any state, again and again.
func (n *Node) Down(ctx context.Context, purge bool) (err error) {
	if err := checkSystem(); err != nil {
		return err
	}
	if claimed, err := n.claimed(); !claimed || err != nil {
		n.say("there is no cluster in %s", n.Dir)
		return err
	}
	release, err := n.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()

	before, found, err := n.readBaseline()
	if err != nil {
		return err
	}
	processes, err := n.processes()
	if err != nil {
		return err
	}
	if found || len(processes) > 0 {
		if err := n.undo(ctx, before); err != nil {
			return err
		}
	} else {
		n.say("there is no cluster in %s", n.Dir)
	}
	return n.removeFiles(purge)
}

// undo goes through all steps even when one fails, so that as little as possible is left.
func (n *Node) undo(ctx context.Context, before baseline) error {
	var problems []error
	for _, s := range []struct {
		what string
		run  func() error
	}{
		{"stopping the node's programs and its pods", func() error { return n.stopAll(ctx) }},
		{"removing mounts", func() error { return host.UnmountBelow(n.Dir) }},
		{"removing control groups", func() error { return host.RemoveCgroup(podsCgroup) }},
		{"removing interfaces", func() error { return removeBridge(ctx) }},
		{"removing firewall rules", func() error {
			return errors.Join(restoreFirewall(ctx, before.Firewall), host.RemoveTable(policyTable))
		}},
		{"restoring kernel settings", before.Sysctls.Apply},
		{"removing files outside of the directory", func() error { return n.removeTraces(before.Paths) }},
	} {
		problems = append(problems, n.step(s.what, s.run))
	}
	return errors.Join(problems...)
}

// stopAll kills: nothing of what the programs would save at their end is kept. The
// kubelet goes first, it would start the pods again.
func (n *Node) stopAll(ctx context.Context) error {
	programs := n.programs()
	slices.Reverse(programs)
	for _, p := range programs {
		if p.Name != "kubelet" {
			continue
		}
		if err := n.Stop(ctx, p.Name, 0); err != nil {
			return err
		}
	}
	for _, p := range programs {
		if err := n.Stop(ctx, p.Name, 0); err != nil {
			return err
		}
	}
	return host.KillAll(ctx, func() ([]int, error) {
		own, err := n.processes()
		if err != nil {
			return nil, err
		}
		pods, err := host.CgroupProcesses(podsCgroup)
		return append(own, pods...), err
	})
}

// processes returns the node's processes, whatever the pidfiles say: its own programs, and
// the containerd and the shims that were started for this directory. A kubectl that
// somebody runs is not the node's.
func (n *Node) processes() ([]int, error) {
	bin, config, socket := n.path("bin")+"/", n.containerdConfig(), n.containerdSocket()
	return host.Pids(func(p host.Process) bool {
		switch filepath.Base(p.Exe) {
		case "containerd":
			return slices.Contains(p.Args, config)
		case "containerd-shim-runc-v2":
			return slices.Contains(p.Args, socket)
		}
		return strings.HasPrefix(p.Exe, bin) && filepath.Base(p.Args[0]) != "kubectl"
	})
}

// removeBridge removes the bridge and the pods' interfaces at it, which the
// kernel would remove with their namespaces, but only some time later.
func removeBridge(ctx context.Context) error {
	ports, err := filepath.Glob("/sys/class/net/" + bridge + "/brif/*")
	if err != nil {
		return err
	}
	for _, port := range append(ports, bridge) {
		name := filepath.Base(port)
		if _, err := run(ctx, "", "ip", "link", "delete", name); err != nil && len(host.Existing("/sys/class/net/"+name)) > 0 {
			return err
		}
	}
	return nil
}

func restoreFirewall(ctx context.Context, before map[string]string) error {
	for _, family := range firewalls() {
		now, err := run(ctx, "", family+"-save")
		if err != nil {
			return err
		}
		script := host.Undo(host.ParseRules(before[family]), host.ParseRules(now))
		if script == "" {
			continue
		}
		if _, err := run(ctx, script, family+"-restore", "--noflush"); err != nil {
			return err
		}
	}
	return nil
}

// removeTraces removes the node's files outside of its directory, and the directories that
// were not there before as far as that leaves them empty.
func (n *Node) removeTraces(before []string) error {
	traces, err := n.traces(before)
	if err != nil {
		return err
	}
	for _, path := range traces {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	for _, path := range hostPaths {
		if info, err := os.Lstat(path); slices.Contains(before, path) || err != nil || !info.IsDir() {
			continue
		}
		if err := host.PruneEmpty(path); err != nil {
			return err
		}
	}
	return nil
}

// traces returns the node's files outside of its directory.
func (n *Node) traces(before []string) (traces []string, err error) {
	for _, file := range []string{"/var/lib/kubelet", "/run/xtables.lock"} { // nobody's but a kubelet's, nobody's but iptables'
		if !slices.Contains(before, file) {
			traces = append(traces, file)
		}
	}
	for pattern, mentions := range map[string]func(string) (string, error){
		"/var/log/containers/*.log": os.Readlink,
		"/var/lib/cni/results/*":    readText,
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if text, err := mentions(file); err == nil && strings.Contains(text, n.Dir+"/") {
				traces = append(traces, file)
			}
		}
	}
	sockets, err := n.shimSockets()
	return append(traces, sockets...), err
}

func readText(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

// shimSockets returns the sockets of the shims, which are below /run/containerd whatever
// containerd's configuration says. A killed shim leaves its socket; its address is in a file.
func (n *Node) shimSockets() (sockets []string, err error) {
	files, err := filepath.Glob(n.path("containerd/state/io.containerd.runtime.v2.task/*/*/address"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		address, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if socket, found := strings.CutPrefix(strings.TrimSpace(string(address)), "unix://"); found {
			sockets = append(sockets, socket)
		}
	}
	return sockets, nil
}

// removeFiles empties the directory but for bin, or removes it.
func (n *Node) removeFiles(purge bool) error {
	if purge {
		return os.RemoveAll(n.Dir)
	}
	entries, err := os.ReadDir(n.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if path := n.path(entry.Name()); path == n.path("bin") || path == n.markerFile() {
			continue
		}
		if err := os.RemoveAll(n.path(entry.Name())); err != nil {
			return fmt.Errorf("removing the node's files: %w", err)
		}
	}
	return nil
}
