//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// measured has what the benchmarks of this run have compared.
var measured table

// TestMain runs the tests and benchmarks, and prints it after the last of them.
func TestMain(m *testing.M) {
	code := m.Run()
	measured.print(os.Stdout)
	os.Exit(code)
}

// table has medians for people to read.
type table struct{ rows []row }

// row is one thing that is compared. Times are medians; 0 is one that is not measured.
type row struct {
	what     string
	ours     time.Duration
	upstream time.Duration
	cached   time.Duration // upstream with KOCACHE
	note     string
	aims     []aim
	stages   []stage // where the time of ours goes
}

// aim is how long something may take, or which share of upstream's time with KOCACHE.
type aim struct {
	atMost time.Duration
	share  float64
}

// stage is a part of a time, which is a median too.
type stage struct {
	what string
	took time.Duration
}

func (t *table) add(added row) { t.rows = append(t.rows, added) }

// print writes the table, and of each row that misses an aim, where its time goes.
func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\nMedians of this run, in seconds:\n\n")
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "what\tours\tupstream\twith KOCACHE\tours/upstream\tours/with KOCACHE\taim")
	for _, row := range t.rows {
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.what, seconds(row.ours), seconds(row.upstream), seconds(row.cached),
			ratio(row.ours, row.upstream), ratio(row.ours, row.cached), row.verdict())
	}
	_ = columns.Flush() // It fails if stdout is closed: nobody reads it.
	for _, row := range t.rows {
		if row.misses() {
			fmt.Fprintf(w, "\nWhere the %s s of %q go:\n", seconds(row.ours), row.what)
			for _, stage := range row.stages {
				fmt.Fprintf(w, "  %s  %s\n", seconds(stage.took), stage.what)
			}
		}
	}
}

// verdict says of each aim whether it is met.
func (r *row) verdict() string {
	var said []string
	for _, aim := range r.aims {
		word := "missed"
		if aim.isMet(r) {
			word = "met"
		}
		said = append(said, aim.String()+": "+word)
	}
	if r.note != "" {
		said = append(said, r.note)
	}
	return strings.Join(said, "; ")
}

func (r *row) misses() bool {
	for _, aim := range r.aims {
		if !aim.isMet(r) {
			return true
		}
	}
	return false
}

func (a aim) isMet(r *row) bool {
	if a.share > 0 {
		return r.ours.Seconds() <= a.share*r.cached.Seconds()
	}
	return r.ours <= a.atMost
}

func (a aim) String() string {
	if a.share > 0 {
		return fmt.Sprintf("at most %g of upstream with KOCACHE", a.share)
	}
	return fmt.Sprintf("at most %g s", a.atMost.Seconds())
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

func ratio(a, b time.Duration) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a.Seconds()/b.Seconds())
}
