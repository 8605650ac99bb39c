//go:build unix

package intercept

import (
	"context"
	"errors"
	"fmt"

	"github.com/koshop/koshop/internal/telepresence"
)

// connected fails unless there is a connection: every other command would make
// one, to the namespace of the current context.
func connected(ctx context.Context, o Options) error {
	status, err := telepresence.Read(ctx)
	switch {
	case errors.Is(err, telepresence.ErrNotFound):
		return fmt.Errorf("%w: install it as https://telepresence.io/docs/install/client says", err)
	case err != nil:
		return err
	case !status.Connected():
		return errors.New("telepresence is not connected: run telepresence connect --namespace=api, or with the namespace that your shop is in")
	case o.Header != "" && !telepresence.Personal(status.Version):
		return fmt.Errorf("telepresence %s has no intercepts by header: install %s or newer, here and in the cluster, or leave HEADER out to have all requests",
			status.Version, telepresence.PersonalSince)
	}
	return nil
}

// leaveStale leaves the intercepts of this machine that are in the way and lead to
// nobody, as they do when telepresence was killed. One that leads to somebody is
// an error.
func leaveStale(ctx context.Context, o Options) error {
	intercepts, err := telepresence.Intercepts(ctx)
	if err != nil {
		return err
	}
	for _, i := range intercepts {
		if i.Name != o.Service && i.Port != o.Port {
			continue
		}
		if listens(i.Port) {
			return fmt.Errorf("this machine intercepts %s already, by what listens on port %d: end that, or run telepresence leave %s", i.Name, i.Port, i.Name)
		}
		if err := telepresence.Leave(ctx, i.Name); err != nil {
			return err
		}
		fmt.Fprintf(o.Out, "%s: left an intercept that led to nobody\n", i.Name)
	}
	return nil
}
