package settings_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/up/settings"
)

// in writes files into the directory config of a working directory of its own.
func in(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("config", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join("config", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead(t *testing.T) {
	in(t, map[string]string{
		"ko-up.yaml": `# what we type each time
port: 8081
watch: poll
services: {postgres: "127.0.0.1:5432", mail.other: smtp.example.com:25}
workloads:
  payments-svc:
    env: {LOG_LEVEL: debug, RETRIES: 3, DRY_RUN: true, EMPTY: , QUOTED: "a b", LATER: 0o17}
    envFile: payments.env
  deployment/web: &web {env: {A: b}}
  worker: *web
  idle:
`,
		"payments.env": "# secret\nLOG_LEVEL=info\nTOKEN=a=b#c\n",
	})
	s, err := settings.Read("config")
	if err != nil {
		t.Fatal(err)
	}
	if s.Port != 8081 || s.Watch != "poll" || !reflect.DeepEqual(s.Services, map[string]string{"postgres": "127.0.0.1:5432", "mail.other": "smtp.example.com:25"}) {
		t.Errorf("got %+v", s)
	}
	for name, want := range map[string]map[string]string{
		"payments-svc":   {"LOG_LEVEL": "debug", "RETRIES": "3", "DRY_RUN": "true", "EMPTY": "", "QUOTED": "a b", "LATER": "0o17", "TOKEN": "a=b#c"},
		"deployment/web": {"A": "b"},
		"worker":         {"A": "b"},
		"idle":           {},
	} {
		if got := s.Workloads[name].Env; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if where := s.Workloads["payments-svc"].Where; where != filepath.FromSlash("config/ko-up.yaml")+", line 7: workloads.payments-svc" {
		t.Errorf("it stands at %s", where)
	}
	if len(s.Files) != 2 || !filepath.IsAbs(s.Files[0]) || filepath.Base(s.Files[1]) != "payments.env" {
		t.Errorf("files %q", s.Files)
	}
}

func TestReadNothing(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no file":  {},
		"empty":    {"ko-up.yaml": ""},
		"comments": {"ko-up.yaml": "# nothing\n"},
		"null":     {"ko-up.yaml": "---\n"},
	} {
		in(t, files)
		s, err := settings.Read("config")
		if err != nil || s.Port != 0 || len(s.Files) != 1 {
			t.Errorf("%s: got %+v, error %v", name, s, err)
		}
	}
	if s, err := settings.Read("https://example.com/shop//config?ref=main"); err != nil || len(s.Files) != 0 {
		t.Errorf("got %+v, error %v", s, err)
	}
}

func TestMistakesNameFileLineAndField(t *testing.T) {
	for content, want := range map[string]string{
		"prt: 8080\n":                               "line 1: prt: there is no such field; there are port, services, watch, workloads",
		"port: 80a\n":                               "line 1: port: expected a port from 1 to 65535",
		"port: 70000\n":                             "line 1: port: expected a port",
		"port: [1]\n":                               "line 1: port: expected a port",
		"\nwatch: sometimes\n":                      "line 2: watch: expected auto, events or poll",
		"services:\n  postgres: 5432\n":             "line 2: services.postgres: expected HOST:PORT, such as 127.0.0.1:5432",
		"services: [postgres]\n":                    "line 1: services: expected fields and values",
		"services:\n  a: {b: c}\n":                  "line 2: services.a: expected a text or a number",
		"workloads:\n  web:\n    enviroment: {}\n":  "line 3: workloads.web.enviroment: there is no such field; there are env, envFile",
		"workloads:\n  web: debug\n":                "line 2: workloads.web: expected fields and values",
		"workloads:\n  web:\n    env:\n    - A=b\n": "line 4: workloads.web.env: expected fields and values",
		"workloads:\n  web:\n    env: {A: [b]}\n":   "line 3: workloads.web.env.A: expected a text or a number",
		"workloads:\n  web:\n    env: {PORT: 80}\n": "line 3: workloads.web.env.PORT: ko up chooses the port",
		"workloads:\n  web: {envFile: none.env}\n":  "line 2: workloads.web.envFile: open",
		"workloads:\n  web: {envFile: }\n":          "line 2: workloads.web.envFile: expected the path of a file",
		"workloads:\n  web: {envFile: bad.env}\n":   "bad.env, line 2: expected NAME=VALUE",
		"workloads:\n  web: {}\n  web: {}\n":        "line 3: workloads.web: it is there twice",
		"port: 1\n---\nport: 2\n":                   "expected one YAML document",
		"port: {\n":                                 "line 2: it is not YAML: did not find expected node content",
		"just a text\n":                             "line 1: expected fields and values",
	} {
		in(t, map[string]string{"ko-up.yaml": content, "bad.env": "A=b\nnonsense\n"})
		_, err := settings.Read("config")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.FromSlash("config/ko-up.yaml")) {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
}
