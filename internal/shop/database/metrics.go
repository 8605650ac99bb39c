package database

import (
	"database/sql"

	"go.opentelemetry.io/otel/attribute"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

// observe adds the connections of the pool to the metrics of a service.
func observe(t *telemetry.Telemetry, db *sql.DB) {
	const name, unit = "db.client.connection.", "{connection}"
	state := func(s string) []attribute.KeyValue { return []attribute.KeyValue{attribute.String("state", s)} }
	t.Observe(
		telemetry.Reading{Name: name + "count", Unit: unit, About: "Connections to the database", Attributes: state("used"),
			Read: func() float64 { return float64(db.Stats().InUse) }},
		telemetry.Reading{Name: name + "count", Unit: unit, About: "Connections to the database", Attributes: state("idle"),
			Read: func() float64 { return float64(db.Stats().Idle) }},
		telemetry.Reading{Name: name + "max", Unit: unit, About: "The most connections that there may be, 0 for any number",
			Read: func() float64 { return float64(db.Stats().MaxOpenConnections) }},
		telemetry.Reading{Name: name + "waits", Unit: "{wait}", About: "How often a connection was waited for", IsTotal: true,
			Read: func() float64 { return float64(db.Stats().WaitCount) }},
		telemetry.Reading{Name: name + "wait_duration", Unit: "s", About: "How long connections were waited for, together", IsTotal: true,
			Read: func() float64 { return db.Stats().WaitDuration.Seconds() }},
	)
}
