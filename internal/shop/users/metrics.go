package users

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

// observe adds the queue of passwords that are hashed to the metrics of the service.
func (h *hasher) observe(t *telemetry.Telemetry) {
	state := func(s string) []attribute.KeyValue { return []attribute.KeyValue{attribute.String("state", s)} }
	t.Observe(
		telemetry.Reading{Name: "argon2.queue", Unit: "{password}", About: "Passwords that are hashed, or wait for that", Attributes: state("running"),
			Read: func() float64 { return float64(h.turns.Stats().Taken) }},
		telemetry.Reading{Name: "argon2.queue", Unit: "{password}", About: "Passwords that are hashed, or wait for that", Attributes: state("waiting"),
			Read: func() float64 { return float64(h.turns.Stats().Waiting) }},
		telemetry.Reading{Name: "argon2.refused", Unit: "{password}", About: "Passwords of clients of which too many waited", IsTotal: true,
			Read: func() float64 { return float64(h.turns.Stats().Refused) }},
	)
}
