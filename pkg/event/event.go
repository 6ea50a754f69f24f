// Package event holds the envelope in which every fact travels: who said what, about which key, when, and because of
// what. It knows nothing of Avro or of a database.
package event

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Event is a fact in the past tense, ready to be encoded.
type Event struct {
	// ID is a UUID, unique over all services. See Derive.
	ID string
	// Type is the full name of the Avro record, such as "quadrille.order.OrderPlaced".
	Type string
	// Source names the publishing service as a URI reference, such as "/quadrille/order".
	Source string
	// Topic and Key say where it goes: all events of one key in one topic are handled in order.
	Topic, Key string
	// Sequence is the version of the publishing aggregate after this event: strictly increasing per topic and key.
	// Gaps are legal.
	Sequence int64
	// Time is when it happened, UTC, to the microsecond.
	Time time.Time
	// Cause says what led to it.
	Cause Cause
	// Data is a pointer to the generated Go type of the Avro record. Nil is a tombstone.
	Data Data
}

// Data is what an event says. The Go types that are generated from schemas have its method, so that what has no schema
// does not compile as an event. It is an alias because contracts, which import nothing of ours, name it too.
type Data = interface {
	// EventType is the full name of the Avro record, such as "quadrille.order.OrderPlaced".
	EventType() string
}

// Cause links a message to what led to it.
type Cause struct {
	// ID is the causation id: the id of the message that was being handled when this one came to be.
	ID string
	// Correlation is the same for everything that one request led to.
	Correlation string
	// Trace is a W3C traceparent, empty when nothing is traced.
	Trace string
}

// NewID mints a UUIDv7 for a message that arrives without an id of its own. It must not be used for order, only to
// break ties in paging.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Derive returns the id of the nth event (from 0) that source publishes while handling the message with the given id:
// SHA-256 in UUIDv8 form (RFC 9562, section 5.8). A rerun, a retry or a zombie names the same fact by the same id.
// Source is part of it because two services may handle one message.
func Derive(source, message string, n int) string {
	h := sha256.New()
	for _, part := range []string{source, message} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	var index [8]byte
	binary.BigEndian.PutUint64(index[:], uint64(n))
	h.Write(index[:])

	id := uuid.UUID(h.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // variant RFC 9562
	return id.String()
}

// Now returns the current time as events carry it: UTC, to the microsecond, which both databases keep.
func Now(clock func() time.Time) time.Time { return clock().UTC().Truncate(time.Microsecond) }
