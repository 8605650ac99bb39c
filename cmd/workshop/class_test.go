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
	} {
		if _, err := run(t, append([]string{"class"}, test.args...)...); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("workshop class %q: error %v, want %s", test.args, err, test.want)
		}
	}
}
