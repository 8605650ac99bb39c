package postgres

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// settings are what a new database is made of.
type settings struct {
	user, password, database string
	// superuser is the password of the role postgres where user is another; ""
	// makes no such role.
	superuser string
	auth      string   // how clients prove who they are
	initdb    []string // further arguments
}

// authByPassword is how they do it if the manifests do not say.
const authByPassword = "scram-sha-256"

// The variables of the official image come first, then those of Bitnami's.
var (
	userNames      = []string{"POSTGRES_USER", "POSTGRESQL_USERNAME"}
	passwordNames  = []string{"POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"}
	databaseNames  = []string{"POSTGRES_DB", "POSTGRESQL_DATABASE", "POSTGRES_DATABASE"}
	superuserNames = []string{"POSTGRES_POSTGRES_PASSWORD", "POSTGRESQL_POSTGRES_PASSWORD"}
)

// readSettings fails if the variables contradict each other, or lack a
// password that is needed.
func readSettings(env map[string]string) (s settings, err error) {
	var problems [4]error
	s.user, problems[0] = first(env, userNames)
	s.password, problems[1] = first(env, passwordNames)
	s.database, problems[2] = first(env, databaseNames)
	s.superuser, problems[3] = first(env, superuserNames)
	if err := errors.Join(problems[:]...); err != nil {
		return s, err
	}
	if s.user == "" {
		s.user = "postgres"
	}
	if s.database == "" {
		s.database = s.user
	}
	if s.auth = env["POSTGRES_HOST_AUTH_METHOD"]; s.auth == "" {
		s.auth = authByPassword
	}
	if env["ALLOW_EMPTY_PASSWORD"] == "yes" && s.password == "" {
		s.auth = "trust"
	}
	if s.user == "postgres" && s.password == "" {
		s.password = s.superuser
	}
	if s.password == "" && s.auth != "trust" {
		return s, errors.New("POSTGRES_PASSWORD is not set: the first start needs it, or POSTGRES_PASSWORD_FILE, for the superuser")
	}
	s.initdb = strings.Fields(strings.NewReplacer(`"`, "", "'", "").Replace(env["POSTGRES_INITDB_ARGS"]))
	return s, nil
}

// first returns the value of the first of the variables that is set, or what
// the file holds that NAME_FILE names; "" if none is set.
func first(env map[string]string, names []string) (string, error) {
	for _, name := range names {
		value, file := env[name], env[name+"_FILE"]
		switch {
		case value != "" && file != "":
			return "", fmt.Errorf("%s and %[1]s_FILE are both set: set one", name)
		case file != "":
			content, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("%s_FILE: %w", name, err)
			}
			value = strings.TrimRight(string(content), "\r\n")
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return "", fmt.Errorf("%s holds more than one line", name)
		}
		if value != "" {
			return value, nil
		}
	}
	return "", nil
}

// statements return the SQL that completes a database which initdb has made.
func (s settings) statements() string {
	var sql strings.Builder
	if s.password != "" {
		fmt.Fprintf(&sql, "ALTER ROLE %s PASSWORD %s;\n", identifier(s.user), literal(s.password))
	}
	if s.user != "postgres" && s.superuser != "" {
		fmt.Fprintf(&sql, "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD %s;\n", literal(s.superuser))
	}
	if s.database != "postgres" { // initdb makes that one.
		fmt.Fprintf(&sql, "CREATE DATABASE %s;\n", identifier(s.database))
	}
	return sql.String()
}

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// clients are the lines of pg_hba.conf. The first is for the tools of the first
// start, which use a socket; all others come by loopback.
func (s settings) clients() string {
	return "local all all trust\nhost all all all " + s.auth + "\nhost replication all all " + s.auth + "\n"
}
