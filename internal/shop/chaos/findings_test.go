//go:build linux

package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// kind is what a finding is about.
type kind string

// What must never be.
const (
	chargedTwice kind = "charged twice"
	paymentLost  kind = "payment lost"
	paidByNone   kind = "paid without a payment"
	answerLost   kind = "answer lost"
	answerWrong  kind = "answer wrong"
	notTheOrders kind = "payment is not what the order asks for"
)

// What an excuse may cover.
const (
	notSettled kind = "payment not settled"
	orderLost  kind = "order lost"
)

// finding is something that the databases, or the clients, say and that should not be.
type finding struct {
	kind  kind
	order string // its id, or "" if the finding is about no order
	text  string
}

// findings are collected.
type findings []finding

func (f *findings) add(k kind, order, format string, args ...any) {
	*f = append(*f, finding{k, order, fmt.Sprintf(format, args...)})
}

// excuse is a reason for which findings of one kind may be there. It covers only
// those that are named above as what an excuse may cover.
type excuse struct {
	name   string
	of     kind
	covers func(order string) bool // nil means every order
	most   int                     // If there are more, it covers none.
}

func (e excuse) applies(f finding) bool {
	may := f.kind == notSettled || f.kind == orderLost
	return may && f.kind == e.of && (e.covers == nil || e.covers(f.order))
}

// without returns the findings that no excuse covers, and how many each one covers.
func (f findings) without(excuses []excuse) (left findings, covered map[string]int) {
	left, covered = f, map[string]int{}
	for _, e := range excuses {
		rest := slices.DeleteFunc(slices.Clone(left), e.applies)
		if n := len(left) - len(rest); n > 0 && n <= e.most {
			left, covered[e.name] = rest, n
		}
	}
	return left, covered
}

// report fails the test if there are findings that no excuse covers, and logs how
// many there are of which one does.
func (f findings) report(t *testing.T, excuses ...excuse) {
	t.Helper()
	left, covered := f.without(excuses)
	for _, name := range slices.Sorted(maps.Keys(covered)) {
		t.Logf("%d findings are excused: %s", covered[name], name)
	}
	if len(left) == 0 {
		return
	}
	var lines []string
	for _, each := range left[:min(len(left), 20)] {
		lines = append(lines, fmt.Sprintf("%s: %s", each.kind, each.text))
	}
	t.Errorf("%d findings, such as:\n%s", len(left), strings.Join(lines, "\n"))
}
