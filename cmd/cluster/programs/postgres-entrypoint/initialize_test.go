package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSetting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, value, file string
		want              string
		fails             bool
	}{
		{name: "neither", want: "default"},
		{name: "value", value: "direct", want: "direct"},
		{name: "file", file: file, want: "from a file"},
		{name: "both", value: "direct", file: file, fails: true},
		{name: "no such file", file: file + ".missing", fails: true},
		{name: "two lines", value: "a\nb", fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("POSTGRES_PASSWORD", test.value)
			t.Setenv("POSTGRES_PASSWORD_FILE", test.file)
			got, err := setting("POSTGRES_PASSWORD", "default")
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestCreateDatabaseQuotesTheName(t *testing.T) {
	const want = "CREATE DATABASE \"a\"\"; DROP DATABASE b\";\n"
	if got := createDatabase(`a"; DROP DATABASE b`); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServerDoesNotSeeThePassword(t *testing.T) {
	t.Setenv("POSTGRES_PASSWORD", "secret")
	t.Setenv("POSTGRES_DB", "shop")
	env := map[string]bool{}
	for _, variable := range serverEnv() {
		env[variable] = true
	}
	if env["POSTGRES_PASSWORD=secret"] || !env["POSTGRES_DB=shop"] {
		t.Errorf("got %v", env)
	}
}
