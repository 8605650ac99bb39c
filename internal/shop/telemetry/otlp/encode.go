package otlp

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"google.golang.org/protobuf/encoding/protowire"
)

// message is a message of protobuf that is being written. Fields have the numbers of
// https://github.com/open-telemetry/opentelemetry-proto.
type message []byte

func (m *message) bytes(field protowire.Number, value []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), value)
}

// text adds a string; an empty one is the default, which is left out.
func (m *message) text(field protowire.Number, value string) {
	if value != "" {
		m.bytes(field, valid(value))
	}
}

// valid returns a text as UTF-8: a collector refuses a whole message for one that is not.
func valid(text string) []byte { return []byte(strings.ToValidUTF8(text, "\uFFFD")) }

func (m *message) number(field protowire.Number, value uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), value)
}

func (m *message) fixed64(field protowire.Number, value uint64) {
	*m = protowire.AppendFixed64(protowire.AppendTag(*m, field, protowire.Fixed64Type), value)
}

func (m *message) fixed32(field protowire.Number, value uint32) {
	*m = protowire.AppendFixed32(protowire.AppendTag(*m, field, protowire.Fixed32Type), value)
}

func (m *message) double(field protowire.Number, value float64) {
	m.fixed64(field, math.Float64bits(value))
}

func (m *message) time(field protowire.Number, t time.Time) {
	m.fixed64(field, uint64(t.UnixNano()))
}

// message adds a message that fill writes.
func (m *message) message(field protowire.Number, fill func(*message)) {
	var inner message
	fill(&inner)
	m.bytes(field, inner)
}

// attributes adds a KeyValue for each.
func (m *message) attributes(field protowire.Number, list []attribute.KeyValue) {
	for _, a := range list {
		m.message(field, func(m *message) {
			m.text(1, string(a.Key))
			m.message(2, func(m *message) { m.value(a.Value) })
		})
	}
}

// value writes an AnyValue. Lists, which nothing here has, become texts.
func (m *message) value(v attribute.Value) {
	switch v.Type() {
	case attribute.BOOL:
		m.number(2, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		m.number(3, uint64(v.AsInt64()))
	case attribute.FLOAT64:
		m.double(4, v.AsFloat64())
	default:
		m.bytes(1, valid(v.String()))
	}
}

// scope writes an InstrumentationScope.
func (m *message) scope(s instrumentation.Scope) {
	m.text(1, s.Name)
	m.text(2, s.Version)
}
