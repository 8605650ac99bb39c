package main

import (
	"strings"
	"testing"
)

// What cannot be is refused before anything is sent to a cluster.
func TestMistakesAboutAClass(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"up", "--shared", "--attendees", "ada, Grace"}, `attendee "Grace": a name is`},
		{[]string{"up", "--shared", "--attendees", "ada, ada"}, `attendee "ada" is there twice`},
		{[]string{"up", "--shared", "--size", "2", "--valid", "9m"}, "--valid 9m0s: no token"},
		{[]string{"up", "--shared", "--size", "2", "--valid", "1000000h"}, "--valid 1000000h0m0s: a kubeconfig is a password"},
		{[]string{"size", "--node-price", "NaN"}, "--node-price NaN: it is an amount of money"},
		{[]string{"size", "--node-price", "+Inf"}, "--node-price +Inf: it is"},
		{[]string{"size", "--node-price", "-0.20"}, "--node-price -0.2: it is"},
	} {
		if _, err := run(t, append([]string{"class"}, test.args...)...); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("workshop class %q: error %v, want %s", test.args, err, test.want)
		}
	}
}
