package board

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxState bounds the column of states, in characters.
const maxState = 40

// table draws the board: a line for each replica, and one for each further
// address of its workload below the first of them.
func (b *Board) table() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rows) == 0 {
		return nil
	}
	names, states := len("WORKLOAD"), len("STATUS")
	for _, r := range b.rows {
		names, states = max(names, len(r.Name)), max(states, len(r.state()))
	}
	states = min(states, maxState)
	const line = "%-*s  %s  %6s  %6s  %8s  %s"
	table := []string{"", fmt.Sprintf(line, names, "WORKLOAD", fmt.Sprintf("%-*s", states, "STATUS"), "BUILD", "START", "RESTARTS", "URL")}
	for _, r := range b.rows {
		state := fmt.Sprintf("%-*.*s", states, states, r.state())
		if b.paint {
			state = "\x1b[" + r.colour() + "m" + state + "\x1b[0m"
		}
		urls := r.addresses()
		if len(urls) == 0 {
			urls = []string{""}
		}
		table = append(table, strings.TrimRight(fmt.Sprintf(line, names, r.Name, state, blank(r.build), blank(r.start), fmt.Sprint(r.restarts), urls[0]), " "))
		for _, url := range urls[1:] {
			table = append(table, fmt.Sprintf(line, names, "", strings.Repeat(" ", states), "", "", "", url))
		}
	}
	return table
}

// addresses returns those that a row shows: the first replica shows all of its
// workload, the others the first. Behind it stands where the program comes from, if
// that is not built from Go.
func (r *Row) addresses() []string {
	urls := slices.Clone(r.urls())
	if !r.first && len(urls) > 1 {
		urls = urls[:1]
	}
	switch {
	case r.origin == "":
	case len(urls) == 0:
		urls = []string{"by " + r.origin}
	default:
		urls[0] += " by " + r.origin
	}
	return urls
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

func blank(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return seconds(d)
}
