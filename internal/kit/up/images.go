package up

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/workload"
)

// images says which containers can be run whose images are not built from Go.
func (l *loop) images(ctx context.Context, given *given) workload.Images {
	if l.opts.Images == "" || l.opts.Images == backing.None {
		return workload.Images{Elsewhere: given.services}
	}
	return workload.Images{
		Run: func(c corev1.Container) error {
			_, err := l.finder.Find(ctx, c.Image, c.Command, c.Args)
			return err
		},
		Port: backing.UsualPort, Elsewhere: given.services,
	}
}
