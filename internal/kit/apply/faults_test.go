package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// fault is what goes wrong with a request; do carries it out.
type fault func(ctx context.Context, do func() error) error

// faults are what can go wrong with any request.
var faults = map[string]fault{
	"refused": func(context.Context, func() error) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, "", errInjected)
	},
	"timed out before it took effect": func(context.Context, func() error) error {
		return fmt.Errorf("%w: %w", errInjected, context.DeadlineExceeded)
	},
	"timed out after it took effect": func(_ context.Context, do func() error) error {
		return errors.Join(fmt.Errorf("%w: %w", errInjected, context.DeadlineExceeded), client.IgnoreNotFound(do()))
	},
	"connection cut": func(_ context.Context, do func() error) error {
		_ = do()
		return fmt.Errorf("%w: %w", errInjected, io.ErrUnexpectedEOF)
	},
	"overloaded": func(context.Context, func() error) error {
		return apierrors.NewTooManyRequests(errInjected.Error(), 1)
	},
}

// faulty is a cluster in which some requests go wrong.
type faulty struct {
	*kube.Cluster
	sent  atomic.Int64        // requests so far
	wrong func(n int64) fault // what goes wrong with request n, which counts from 1, or nil
}

// withFaults wraps a cluster.
func withFaults(c *kube.Cluster, wrong func(n int64) fault) *faulty {
	f := &faulty{wrong: wrong}
	through := func(ctx context.Context, do func() error) error {
		if broken := f.wrong(f.sent.Add(1)); broken != nil {
			return broken(ctx, do)
		}
		return do()
	}
	wrapped := interceptor.NewClient(c.WithWatch, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			return through(ctx, func() error { return w.Get(ctx, key, o, opts...) })
		},
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			return through(ctx, func() error { return w.List(ctx, list, opts...) })
		},
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return through(ctx, func() error { return w.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return through(ctx, func() error { return w.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return through(ctx, func() error { return w.Patch(ctx, o, patch, opts...) })
		},
		Apply: func(ctx context.Context, w client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return through(ctx, func() error { return w.Apply(ctx, o, opts...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return through(ctx, func() error { return w.Delete(ctx, o, opts...) })
		},
	})
	clone := *c
	clone.WithWatch = wrapped
	f.Cluster = &clone
	return f
}
