package telepresence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// arrival is how long an intercept may take to be made: its agent may have to be
// pulled and started first, for which Telepresence itself waits less.
const arrival = 3 * time.Minute

// Intercept leads the requests of a service to this laptop.
type Intercept struct {
	Name      string `json:"name"`
	Client    string `json:"client"` // user@host
	Namespace string `json:"namespace"`
	Service   string `json:"service_name"`
	Host      string `json:"target_host"`
	Port      int    `json:"target_port"`
	// Headers are those of the requests that it leads here; none means all.
	Headers map[string]string `json:"header_filters"`
	Active  bool              `json:"-"`
}

// Target is the address on this laptop that the requests are led to.
func (i Intercept) Target() string { return fmt.Sprintf("%s:%d", i.Host, i.Port) }

// active is manager.InterceptDispositionType_ACTIVE.
const active = 1

// Intercepts lists those of this laptop. It must be connected, or Telepresence
// would connect it.
func Intercepts(ctx context.Context) ([]Intercept, error) {
	out, err := call(ctx, "list", "--intercepts", "--output=json")
	if err != nil {
		return nil, err
	}
	type info struct {
		Spec        Intercept `json:"spec"`
		Disposition int       `json:"disposition"`
	}
	var list struct {
		Workloads []struct {
			Intercepts []info `json:"intercept_info"`
			Before231  []info `json:"intercept_infos"`
		} `json:"stdout"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("telepresence list printed something unexpected: %w", err)
	}
	var all []Intercept
	for _, workload := range list.Workloads {
		for _, found := range slices.Concat(workload.Intercepts, workload.Before231) {
			found.Spec.Active = found.Disposition == active
			all = append(all, found.Spec)
		}
	}
	return all, nil
}

// Request is an intercept that is to be made.
type Request struct {
	Service string
	Port    int // of this laptop
	// Header, as in baggage=attendee=ada, makes it personal: only requests with that
	// header come. Empty means all.
	Header string
	// Hold is held open for as long as the intercept may still come to be.
	Hold *os.File
}

// ErrExists says that this laptop has an intercept of that name already.
var ErrExists = errors.New("this laptop has that intercept already")

// Make makes an intercept. It cannot be interrupted: the daemon would go on, and
// make the intercept when we are gone. It fails when that takes several minutes,
// and with ErrExists or ErrNotFound.
func Make(ctx context.Context, r Request) error {
	args := []string{"intercept", r.Service, "--port=" + strconv.Itoa(r.Port), "--mount=false"}
	if r.Header != "" {
		args = append(args, "--http-header="+r.Header)
	}
	_, err := run(context.WithoutCancel(ctx), arrival, r.Hold, args...)
	if err == nil {
		return nil
	}
	switch said := strings.ToLower(err.Error()); {
	case strings.Contains(said, "already exists"):
		return fmt.Errorf("%w (%w)", ErrExists, err)
	case strings.Contains(said, "conflicts with the currently-served intercept"), strings.Contains(said, "conflict with intercept"):
		return fmt.Errorf("somebody else intercepts %s: ask them to leave it, or use a namespace of your own (%w)", r.Service, err)
	}
	return err
}

// NoIntercept reports whether Telepresence, asked to leave an intercept, has said
// that there is none.
func NoIntercept(stderr string) bool {
	return strings.Contains(stderr, "not found") || strings.Contains(stderr, "Found no ")
}

// Leave ends an intercept of this laptop.
func Leave(ctx context.Context, name string) error {
	_, err := call(ctx, "leave", name)
	return err
}
