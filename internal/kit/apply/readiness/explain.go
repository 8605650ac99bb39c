package readiness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kube"
)

const (
	// lastLines is how many lines of a container's log are shown.
	lastLines = 10
	// askTimeout bounds how long the cluster is asked at the end for what explains it.
	askTimeout = 5 * time.Second
	// shownFindings bounds how many findings are shown of an object: the pods of a
	// rollout fail alike.
	shownFindings = 4
)

// short says in one line how an object is doing.
func (v verdict) short() string {
	if len(v.findings) == 0 {
		return v.message
	}
	text, _, _ := strings.Cut(v.findings[0].text, "\n")
	return v.message + ": " + text
}

// explain says why a wait ended, and of each object that is not ready what holds it
// up. It has the last known, however the connection is by now.
func (w *waiter) explain(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var silence error
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		silence = w.silence(ctx)
	}()
	logs := w.endsOfLogs(ctx)
	<-asked
	var text strings.Builder
	if silence != nil {
		fmt.Fprintf(&text, "\n%s does not answer any more; what follows was seen before: %v", w.cluster.Host(), silence)
	}
	for i, o := range w.objects {
		if w.verdicts[i].state != ready {
			w.verdicts[i].write(&text, kube.Name(o), logs)
		}
	}
	return fmt.Errorf("waiting for the objects to be ready: %w%s", why, text.String())
}

// silence returns how the API server fails to answer, or nil.
func (w *waiter) silence(ctx context.Context) error {
	_, err := w.cluster.Live(ctx, w.objects[0])
	if ctx.Err() != nil {
		return fmt.Errorf("no answer in %s", askTimeout)
	}
	return err
}

// write says all that is known of an object, with the ends of logs.
func (v verdict) write(text *strings.Builder, name string, logs map[container]string) {
	fmt.Fprintf(text, "\n%s: %s", name, v.message)
	for n, f := range v.findings {
		if n == shownFindings {
			fmt.Fprintf(text, "\n  and %d more", len(v.findings)-n)
			break
		}
		fmt.Fprintf(text, "\n  %s", strings.ReplaceAll(strings.TrimSpace(f.text), "\n", "\n  "))
		if f.ended != nil && logs[*f.ended] != "" {
			fmt.Fprintf(text, "; the end of its log:\n    %s", strings.ReplaceAll(logs[*f.ended], "\n", "\n    "))
		}
	}
}

// endsOfLogs asks for the last lines of containers that have ended.
func (w *waiter) endsOfLogs(ctx context.Context) map[container]string {
	said := map[container]string{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, v := range w.verdicts {
		for n, f := range v.findings {
			if f.ended == nil || n >= shownFindings {
				continue
			}
			group.Go(func() {
				c := *f.ended
				text, err := w.cluster.Logs(ctx, c.namespace, c.pod, c.name, c.previous, lastLines)
				if err != nil {
					return // It is more than one can have of a pod that is gone.
				}
				mu.Lock()
				defer mu.Unlock()
				said[c] = strings.TrimSpace(text)
			})
		}
	}
	group.Wait()
	return said
}
