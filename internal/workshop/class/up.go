package class

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/telepresence"
)

// Ready is what came of bringing a class up.
type Ready struct {
	Until        time.Time // when the first kubeconfig is no longer valid
	Connectable  bool      // whether there is a namespace for a traffic manager, which attendees may connect to
	Telepresence string    // the version of the traffic manager in it, such as 2.25.0, or ""
}

// Up makes what is missing of a class, puts right what was changed, and gives
// every attendee a new kubeconfig. The failure of one stops no other; the error
// has all of them.
func (c *School) Up(ctx context.Context, class *Class, log *progress.Log) (Ready, error) {
	manager, err := c.namespace(ctx, class.Manager)
	if err != nil {
		return Ready{}, err
	}
	if class.Shared != "" {
		shared, err := c.namespace(ctx, class.Shared)
		if err != nil {
			return Ready{}, err
		}
		if shared == nil {
			return Ready{}, fmt.Errorf("namespace %s, which the class is to share, is not there: deploy the shop first, "+
				"by NAMESPACE=%s make deploy-workshop", class.Shared, class.Shared)
		}
	}
	if err := prepare(class.Dir); err != nil {
		return Ready{}, fmt.Errorf("making the directory of the kubeconfigs: %w", err)
	}
	ready := Ready{Connectable: manager != nil, Telepresence: c.trafficManager(ctx, class.Manager)}
	ends := make([]time.Time, len(class.Attendees))
	err = each(ctx, class.Attendees, func(i int, attendee string) error {
		task := log.Start(attendee, "")
		defer task.Stop()
		s := class.seat(attendee)
		until, err := c.seat(ctx, s, ready.Connectable, task)
		if err != nil {
			return err
		}
		ends[i] = until
		task.Done("namespace " + s.Namespace + ", " + kubeconfigFile(class.Dir, attendee))
		return nil
	})
	for _, end := range ends {
		if ready.Until.IsZero() || !end.IsZero() && end.Before(ready.Until) {
			ready.Until = end
		}
	}
	return ready, err
}

// seat gives an attendee their place and their kubeconfig.
func (c *School) seat(ctx context.Context, s seat, connect bool, task *progress.Task) (until time.Time, err error) {
	file := kubeconfigFile(s.class.Dir, s.Attendee)
	if err := mayTouch(file, s.class.Name); err != nil {
		return time.Time{}, err
	}
	task.Step("preparing namespace " + s.Namespace)
	manifest := "shared.yaml"
	if s.class.Shared == "" {
		manifest = "own.yaml"
		if err := c.mayTake(ctx, s); err != nil {
			return time.Time{}, err
		}
	}
	if err := c.apply(ctx, s, manifest, s.Namespace); err != nil {
		return time.Time{}, err
	}
	if connect {
		if err := c.apply(ctx, s, "connect.yaml", s.class.Manager); err != nil {
			return time.Time{}, err
		}
	}
	task.Step("asking for a kubeconfig")
	token, until, err := c.token(ctx, s)
	if err != nil {
		return time.Time{}, err
	}
	config, err := c.kubeconfig(s, token)
	if err != nil {
		return time.Time{}, err
	}
	return until, writeSecret(file, config)
}

// mayTake refuses a namespace that is somebody else's, or is going.
func (c *School) mayTake(ctx context.Context, s seat) error {
	namespace, err := c.namespace(ctx, s.Namespace)
	if err != nil || namespace == nil {
		return err
	}
	if namespace.DeletionTimestamp != nil {
		return fmt.Errorf("namespace %s is being deleted: try again when it is gone", s.Namespace)
	}
	if owner := namespace.Labels[Label]; owner != s.class.Name {
		whose := "of no class"
		if owner != "" {
			whose = "of class " + owner
		}
		return fmt.Errorf("namespace %s is there already and %s: give the attendee another name, or delete it", s.Namespace, whose)
	}
	return nil
}

// trafficManager returns the version of the traffic manager in a namespace, or ""
// where it cannot be seen.
func (c *School) trafficManager(ctx context.Context, namespace string) string {
	deployment := &appsv1.Deployment{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: telepresence.Manager}, deployment); err != nil {
		return ""
	}
	return telepresence.ManagerVersion(deployment)
}
