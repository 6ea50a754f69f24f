package work

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
)

// maxCopy bounds the copy of a dead letter, below what the relay takes. An event of ours is far smaller.
const maxCopy = 2<<20 - 128<<10

// headerOverhead is the most that a header's two lengths take on the wire.
const headerOverhead = 10

// maxKeyCopy bounds a key that cannot be that of the copy, and travels in a header instead.
const maxKeyCopy = 4 << 10

// aside is a message that is parked or dead, about to be written.
type aside struct {
	row      asideRow
	resource string
	state    string
	attempts int64
	record   *Record
	logged   context.Context
}

func (u *Unit[I, S, E]) letterOf(it *item[I], err error, now time.Time) aside {
	attempt, failed := int64(1), now
	if it.prior != nil && it.prior.open() {
		attempt = it.prior.Attempts + 1
		if !it.failed.IsZero() {
			failed = it.failed
		}
	}
	v := u.cfg.Parking.judge(err, it.recurs(), attempt, failed, now)
	l := aside{resource: it.Key, state: v.state, attempts: attempt, record: it.Record, logged: it.context()}
	l.row = asideRow{
		Scope: it.Scope, ID: it.letterID(), Class: v.class, Error: legible(err.Error(), maxError),
		Arrived: now, FirstFailed: &failed, LastFailed: &now, RetryAt: v.retryAt,
	}
	if !it.At.IsZero() {
		l.row.Arrived = it.At
	}
	if v.class == ClassBehind {
		l.attempts, l.row.FirstFailed, l.row.LastFailed = 0, nil, nil
	}
	if it.ordered() {
		l.row.Key = &it.Key
	}
	if r := it.Record; r != nil {
		partition, headers := int64(r.Partition), marshalHeaders(r.Headers)
		l.row.Type = legible(event.TypeOf(r.Headers), maxType)
		l.row.Partition, l.row.Offset, l.row.Headers = &partition, &r.Offset, &headers
		l.row.RecordKey, l.row.RecordValue = r.Key, r.Value
	}
	return l
}

// maxType is the most of what a header claims to be a type that is kept, in bytes.
const maxType = 255

// add plans the rows of the letter: new ones, or a move of the one that it has.
func (l *aside) add(m *marks, prior *inboxRow, digest [32]byte, now time.Time) {
	if prior != nil {
		m.moved = append(m.moved, prior.move(l.state, l.attempts, now))
		if prior.open() {
			m.failed = append(m.failed, l.row)
		} else {
			m.reopened = append(m.reopened, l.row)
		}
		return
	}
	m.inserted = append(m.inserted, inboxRow{
		Scope: l.row.Scope, ID: l.row.ID, State: l.state, Digest: digest[:], Resource: l.resource,
		Attempts: l.attempts, Handled: &now,
	})
	m.written = append(m.written, l.row)
}

// The headers of a dead letter's copy, before those of the record itself.
const (
	headerService     = "dl_service"
	headerScope       = "dl_scope"
	headerMessage     = "dl_id"
	headerPartition   = "dl_partition"
	headerOffset      = "dl_offset"
	headerClass       = "dl_class"
	headerError       = "dl_error"
	headerAttempts    = "dl_attempts"
	headerFirstFailed = "dl_first_failed"
	headerLastFailed  = "dl_last_failed"
	// Present only if the record's key cannot be one, if its value was left out, or its headers were.
	headerKey     = "dl_key"
	headerSize    = "dl_value_size"
	headerDigest  = "dl_value_sha256"
	headerHeaders = "dl_headers_left_out"
)

// DeadLetterTopic is where the copies of a service's dead letters go.
func DeadLetterTopic(service string) string { return service + ".deadletter" }

// copy returns what others are told of a dead letter: the record as it was, with the reason in headers before its own.
// What does not fit is left out, with its size and SHA-256 in its stead.
func (l *aside) copy(service, key string) outbox.Record {
	text := func(name, value string) event.Header { return event.Header{Key: name, Value: []byte(value)} }
	headers := []event.Header{
		text(headerService, service), text(headerScope, l.row.Scope), text(headerMessage, l.row.ID),
		text(headerClass, string(l.row.Class)), text(headerError, l.row.Error),
		text(headerAttempts, strconv.FormatInt(l.attempts, 10)),
		text(headerFirstFailed, l.row.FirstFailed.Format(time.RFC3339Nano)),
		text(headerLastFailed, l.row.LastFailed.Format(time.RFC3339Nano)),
	}
	copied := outbox.Record{Topic: DeadLetterTopic(service), Key: key}
	if l.record == nil {
		copied.Headers = headers
		return copied
	}
	headers = append(headers,
		text(headerPartition, strconv.Itoa(int(l.record.Partition))),
		text(headerOffset, strconv.FormatInt(l.record.Offset, 10)))
	if key != string(l.record.Key) && len(l.record.Key) <= maxKeyCopy {
		headers = append(headers, event.Header{Key: headerKey, Value: l.record.Key})
	}
	own, size := 0, len(l.record.Value)
	for _, h := range l.record.Headers {
		own += len(h.Key) + len(h.Value) + headerOverhead
	}
	const room = maxCopy - 8<<10 // for ours and the key
	if own+size > room {
		headers = append(headers, text(headerSize, strconv.Itoa(size)),
			text(headerDigest, fmt.Sprintf("%x", sha256.Sum256(l.record.Value))))
	} else {
		copied.Value = l.record.Value
	}
	if own > room {
		headers = append(headers, text(headerHeaders, strconv.Itoa(len(l.record.Headers))))
	} else {
		headers = append(headers, l.record.Headers...)
	}
	copied.Headers = headers
	return copied
}

// tell logs what operators should know of, once it is committed.
func (l *aside) tell(log *slog.Logger) {
	attributes := []any{
		"scope", l.row.Scope, "id", l.row.ID, "key", l.resource, "class", l.row.Class, "error", l.row.Error,
		"attempts", l.attempts,
	}
	switch {
	case l.state == stateDead:
		log.ErrorContext(l.logged, "message is dead until an operator redrives or discards it", attributes...)
	case l.row.Class != ClassBehind && l.attempts == 1:
		log.WarnContext(l.logged, "message is parked and tried again", attributes...)
	}
}
