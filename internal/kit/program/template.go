package program

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// expand fills in the templates, as upstream's applyTemplating does.
func (r *Recipe) expand(ctx context.Context, templates []string) ([]string, error) {
	data := &facts{ctx: ctx, recipe: r}
	expanded := make([]string, 0, len(templates))
	for _, text := range templates {
		parsed, err := template.New(text).Option("missingkey=error").Parse(text)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		if err := parsed.Execute(&b, data); err != nil {
			return nil, err
		}
		expanded = append(expanded, b.String())
	}
	return expanded, nil
}

// facts are what templates may refer to, the same as upstream's
// createTemplateData: {{.Env.X}}, {{.GoEnv.X}}, {{.Git.X}}, {{.Date}} and
// {{.Timestamp}}. Each is looked up only when a template does, because git and
// `go env` can take longer than the compilation.
type facts struct {
	ctx    context.Context
	recipe *Recipe
}

// Env returns the environment of the compilation.
func (f *facts) Env() map[string]string {
	vars := map[string]string{"LDFLAGS": ""}
	maps.Copy(vars, f.recipe.Vars())
	return vars
}

// GoEnv returns what `go env` says in the working directory, and for what the
// environment of the compilation has, that. Upstream does the same.
func (f *facts) GoEnv() (map[string]string, error) {
	cmd := exec.CommandContext(f.ctx, GoTool(), "env", "-json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := f.recipe.run(cmd); err != nil {
		return nil, fmt.Errorf("go env: %w: %s", err, stderr.String())
	}
	var vars map[string]string
	if err := json.Unmarshal(stdout.Bytes(), &vars); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for name, value := range f.recipe.Vars() {
		if _, known := vars[name]; known {
			vars[name] = value
		}
	}
	return vars, nil
}

// Git returns the state of the repository around the code.
func (f *facts) Git() map[string]any {
	return readGit(f.ctx, f.recipe.run, f.recipe.Dir).templateValue()
}

// Date returns the time of the build in RFC 3339.
func (f *facts) Date() (string, error) {
	at, err := buildTime()
	return at.Format(time.RFC3339), err
}

// Timestamp returns the time of the build in seconds since 1970.
func (f *facts) Timestamp() (int64, error) {
	at, err := buildTime()
	return at.Unix(), err
}

// buildTime is now, unless SOURCE_DATE_EPOCH says otherwise
// (https://reproducible-builds.org/specs/source-date-epoch).
func buildTime() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH must be a number of seconds since 1970: %w", err)
	}
	return time.Unix(seconds, 0), nil
}
