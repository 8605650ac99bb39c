package up

import (
	"fmt"
	"io"
	"strings"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/workload"
)

// palette are the colours that tell workloads apart; red is left to errors.
var palette = []string{"36", "35", "32", "33", "34", "96", "95", "92", "93", "94"}

// logs prefixes what programs print with the workload's name, as stern does.
type logs struct {
	log    *progress.Log
	out    io.Writer
	colour bool
	known  []string // names of workloads; their order gives the colour
}

func newLogs(opts Options) *logs {
	return &logs{log: opts.Log, out: opts.Out, colour: opts.Colour}
}

// of returns where the containers of a replica print to.
func (l *logs) of(w *workload.Workload, replica int) func(container string) io.Writer {
	colour := l.next(w.Name)
	return func(container string) io.Writer {
		prefix := w.Name
		if w.Replicas > 1 {
			prefix = fmt.Sprintf("%s-%d", prefix, replica)
		}
		if len(w.Template.Spec.Containers)+len(w.Template.Spec.InitContainers) > 1 {
			prefix += " " + container
		}
		if l.colour {
			prefix = "\x1b[" + colour + "m" + prefix + "\x1b[0m"
		}
		return &lines{logs: l, prefix: prefix}
	}
}

func (l *logs) next(workload string) string {
	for i, name := range l.known {
		if name == workload {
			return palette[i%len(palette)]
		}
	}
	l.known = append(l.known, workload)
	return palette[(len(l.known)-1)%len(palette)]
}

// lines takes whole lines of one container.
type lines struct {
	logs   *logs
	prefix string
}

func (l *lines) Write(line []byte) (int, error) {
	l.logs.log.Result(l.logs.out, "%s %s", l.prefix, strings.TrimRight(string(line), "\r\n"))
	return len(line), nil
}
