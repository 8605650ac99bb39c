package replica

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/pod"
)

// claimEvery is how often it is looked whether a claim is free.
const claimEvery = 100 * time.Millisecond

// lockClaims returns when no other database writes to the claims that a pod's
// databases write to: one of a workload that is ending, or of another run in the
// same state directory. They wait until unlock is called, or this process ends.
func (h *host) lockClaims(ctx context.Context, p *pod.Pod) (unlock func(), err error) {
	var locked []*os.File
	unlock = func() {
		for _, file := range locked {
			file.Close()
		}
	}
	for _, claim := range h.claimsOf(p) {
		file, err := openLock(filepath.Join(h.State.Claims(), claim+".lock"))
		if err == nil {
			locked = append(locked, file)
			err = h.awaitClaim(ctx, claim, file)
		}
		if err != nil {
			unlock()
			return nil, fmt.Errorf("waiting for claim %s: %w", claim, err)
		}
	}
	return unlock, nil
}

func openLock(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

func (h *host) awaitClaim(ctx context.Context, claim string, file *os.File) error {
	for {
		isLocked, err := tryLock(file)
		if err != nil || isLocked {
			return err
		}
		h.row.Waits(fmt.Errorf("claim %s is in use by another database", claim))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(claimEvery):
		}
	}
}

// claimsOf returns the claims that programs which are not built from Go write to,
// as NAMESPACE/CLAIM, sorted: all take them in the same order.
func (h *host) claimsOf(p *pod.Pod) []string {
	var claims []string
	for _, c := range p.Containers {
		if c.Image == nil {
			continue
		}
		for _, m := range c.Image.Mounts {
			relative, err := filepath.Rel(h.State.Claims(), m.Here)
			if m.Source != bind.Volume || m.ReadOnly || err != nil || !filepath.IsLocal(relative) {
				continue
			}
			if elements := strings.Split(relative, string(filepath.Separator)); len(elements) >= 2 {
				claims = append(claims, filepath.Join(elements[:2]...))
			}
		}
	}
	slices.Sort(claims)
	return slices.Compact(claims)
}
