package host

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rules is what iptables-save prints: per table, the chains and the rules.
type Rules map[string]*table

type table struct {
	chains []string
	rules  []string // as iptables-save prints them: "-A CHAIN …"
}

// ParseRules reads the output of iptables-save. Policies and counters are not kept.
func ParseRules(saved string) Rules {
	rules := Rules{}
	var current *table
	lines := bufio.NewScanner(strings.NewReader(saved))
	lines.Buffer(nil, len(saved)+1)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "*"):
			current = &table{}
			rules[line[1:]] = current
		case current == nil:
		case strings.HasPrefix(line, ":"):
			name, _, _ := strings.Cut(line[1:], " ")
			current.chains = append(current.chains, name)
		case strings.HasPrefix(line, "-A "):
			current.rules = append(current.rules, line)
		}
	}
	return rules
}

// clusterChain tells the chains that kube-proxy, the kubelet, the CNI plugins and this
// program make, by their name.
func clusterChain(name string) bool {
	return slices.ContainsFunc([]string{"KUBE-", "CNI-", "KOSHOP-"}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// Undo returns the input for `iptables-restore --noflush` that takes the cluster's chains
// and the rules that lead to them out of now, except those that were there before. It is
// empty when there is nothing to take out. Anybody else's rules stay, old or new.
func Undo(before, now Rules) string {
	var script strings.Builder
	for _, name := range slices.Sorted(maps.Keys(now)) {
		old := before[name]
		if old == nil {
			old = &table{}
		}
		if commands := now[name].undo(old); len(commands) > 0 {
			fmt.Fprintf(&script, "*%s\n%s\nCOMMIT\n", name, strings.Join(commands, "\n"))
		}
	}
	return script.String()
}

func (t *table) undo(before *table) (commands []string) {
	ours := map[string]bool{}
	for _, chain := range t.chains {
		if clusterChain(chain) && !slices.Contains(before.chains, chain) {
			ours[chain] = true
		}
	}
	for _, rule := range t.rules {
		// A rule inside one of our chains goes with the chain. A chain may have been there
		// before, left by a node that was not taken down.
		chain := chainOf(rule)
		if !ours[chain] && (clusterChain(chain) || clusterChain(targetOf(rule))) && !slices.Contains(before.rules, rule) {
			commands = append(commands, "-D"+strings.TrimPrefix(rule, "-A"))
		}
	}
	chains := slices.Sorted(maps.Keys(ours))
	for _, flag := range []string{"-F ", "-X "} { // all are emptied first: they refer to one another
		for _, chain := range chains {
			commands = append(commands, flag+chain)
		}
	}
	return commands
}

func chainOf(rule string) string {
	return strings.Fields(rule)[1]
}

// targetOf returns the chain a rule jumps to. The last -j or -g counts: a comment may hold one too.
func targetOf(rule string) string {
	fields := strings.Fields(rule)
	for i := len(fields) - 2; i > 0; i-- {
		if fields[i] == "-j" || fields[i] == "-g" {
			return fields[i+1]
		}
	}
	return ""
}
