package cluster

import (
	"errors"

	"github.com/koshop/koshop/internal/kube"
	"github.com/koshop/koshop/internal/workshop/report"
)

// Failed is what an error of Connect or Version comes to. An error that knows
// what to do says that; for all others, next does.
func Failed(err error, next string) report.Finding {
	access, ok := errors.AsType[*kube.AccessError](err)
	switch {
	case ok && access.Down:
		return report.Fail(next, "%s", access.Saw)
	case ok:
		return report.Fail(access.Remedy, "%s", access.Saw)
	}
	return report.Fail(next, "%v", err)
}
