package backing

import (
	"testing"

	"github.com/koshop/koshop/internal/kit/bind"
)

func TestSplitImage(t *testing.T) {
	for image, want := range map[string][2]string{
		"postgres":                      {"postgres", ""},
		"postgres:15":                   {"postgres", "15"},
		"docker.io/library/postgres:15": {"postgres", "15"},
		"ghcr.io/acme/postgresql:15.3-debian@sha256:0123456789abcdef": {"postgresql", "15.3-debian"},
		"localhost:5000/redis":          {"redis", ""},
		"localhost:5000/acme/redis:7":   {"redis", "7"},
		"redis@sha256:0123456789abcdef": {"redis", ""},
		"valkey/valkey:8":               {"valkey", "8"},
		"prom/postgres-exporter:v0.1":   {"postgres-exporter", "v0.1"},
		"":                              {"", ""},
	} {
		repository, tag := splitImage(image)
		if repository != want[0] || tag != want[1] {
			t.Errorf("%s: got %q, %q, want %q", image, repository, tag, want)
		}
	}
}

func TestDirectory(t *testing.T) {
	c := Container{Private: "/state/run", Mounts: []bind.Mount{
		{Inside: "/data", Here: "/state/data"}, {Inside: "/data/deeper", Here: "/state/deeper"},
		{Inside: "/state", Here: "/state/scratch"},
	}}
	for _, test := range []struct {
		paths []string
		want  string
	}{
		{[]string{"/data"}, "/state/data"},
		{[]string{"/data/"}, "/state/data"},
		{[]string{"/data/pg/data"}, "/state/data/pg/data"},
		{[]string{"/data/deeper/x"}, "/state/deeper/x"},
		{[]string{"", "/var/lib/postgresql/data"}, "/state/run/data"},
		{[]string{"/database", "/data"}, "/state/data"},
		{[]string{"/state/data/pg"}, "/state/data/pg"}, // led already
	} {
		if got := c.directory(test.paths...); got != test.want {
			t.Errorf("%q: got %s, want %s", test.paths, got, test.want)
		}
	}
}
