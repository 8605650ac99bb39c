//go:build linux

package chaos

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// plan returns what a seed makes the clients, the network and the faults do first.
func plan(seed uint64) string {
	random := generators(seed)
	var all strings.Builder
	for i := range clients {
		c := &client{random: random(), habits: habits{most: 8, within: time.Second, hangUp: 0.4, patient: time.Second, strange: true}, paid: "k"}
		for range 20 {
			products, key := c.choose()
			fmt.Fprintln(&all, i, products, key, c.plan(&order{amount: price}))
		}
	}
	network := &balancer{random: random(), inARow: map[string]int{}, marking: odds{lose: 0.4, drop: 0.1, stray: 0.5, delay: 0.5, longest: time.Second}}
	for i := range 100 {
		fault, late := network.decide(httptest.NewRequest("PATCH", fmt.Sprintf("/orders/%d/status", i%10), nil))
		fmt.Fprintln(&all, fault, late)
	}
	faults := random()
	for range 100 {
		fmt.Fprintln(&all, faults.IntN(4), upTo(faults, 0, time.Second))
	}
	return all.String()
}

func TestOneSeedMakesOnePlan(t *testing.T) {
	first, second := plan(7), plan(7)
	if first != second {
		t.Errorf("two plans of one seed differ:\n%s\n%s", first, second)
	}
	if strings.Count(first, "another amount") == 0 || first == plan(8) {
		t.Errorf("the plan does not follow from the seed:\n%s", first)
	}
}
