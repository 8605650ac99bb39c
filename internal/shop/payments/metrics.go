package payments

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

// settlements counts the attempts to settle payments left over, by how they ended.
type settlements struct{ paid, refused, failed atomic.Int64 }

// observe adds the reconciler to the metrics of the service.
func (l *leftOvers) observe(t *telemetry.Telemetry) {
	total := func(outcome string, n *atomic.Int64) telemetry.Reading {
		return telemetry.Reading{
			Name: "payments.settlements", Unit: "{payment}", About: "Attempts to settle payments left over, by how they ended", IsTotal: true,
			Attributes: []attribute.KeyValue{attribute.String("outcome", outcome)},
			Read:       func() float64 { return float64(n.Load()) },
		}
	}
	t.Observe(total("paid", &l.counts.paid), total("refused", &l.counts.refused), total("failed", &l.counts.failed), telemetry.Reading{
		Name: "payments.pending.oldest_age", Unit: "s", About: "Age of the oldest payment that is pending, 0 without one", Read: l.store.oldestAge,
	})
}

// oldestAge returns the age in seconds of the oldest payment that is pending, and NaN
// if that cannot be read.
func (s *store) oldestAge() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var age float64
	err := s.db.Reads().QueryRowContext(ctx, `SELECT COALESCE($1 - MIN(created_at), 0) FROM payments WHERE status = 'pending'`, time.Now().UnixMilli()).Scan(&age)
	if err != nil {
		return math.NaN()
	}
	return max(age, 0) / 1000
}
