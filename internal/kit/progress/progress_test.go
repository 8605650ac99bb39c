package progress_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/koshop/koshop/internal/kit/progress"
)

func TestPlainLinesOutsideATerminal(t *testing.T) {
	var out bytes.Buffer
	log := progress.New(&out)
	log.Printf("rendered %d objects", 2)
	task := log.Start("web", "building")
	task.Step("publishing")
	task.Done("published web@sha256:1")
	log.Start("worker", "building").Stop()
	log.Close()
	want := `^rendered 2 objects
web: building
web: publishing
web: published web@sha256:1 \(\d+\.\ds\)
worker: building
$`
	if !regexp.MustCompile(want).Match(out.Bytes()) {
		t.Errorf("got\n%s", out.String())
	}
}
