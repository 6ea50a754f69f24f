package gateway

import (
	"fmt"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// Kind names what was asked for.
type Kind string

// The kinds of operation.
const (
	KindOpen      Kind = "open"
	KindAuthorize Kind = "authorize"
	KindCapture   Kind = "capture"
	KindCancel    Kind = "cancel"
	KindRefund    Kind = "refund"
)

// Operation is one entry of the ledger: what was asked, what was finally answered, and the intent before and after.
// Operations that were refused for good are entries as well; before and after are then equal, unless a card declined.
type Operation struct {
	Seq    int64     `json:"seq"` // from 1, without gaps
	At     time.Time `json:"at"`  // never decreases
	Kind   Kind      `json:"operation"`
	Key    string    `json:"idempotency_key,omitzero"` // empty for open, whose key is the reference
	Amount int64     `json:"amount"`                   // asked for; 0 for authorize and cancel
	Status int       `json:"status"`                   // the HTTP status of the answer
	Code   Code      `json:"code,omitzero"`            // of the refusal; empty for success
	Before *Intent   `json:"before"`                   // nil for open
	After  *Intent   `json:"after"`
}

// entry is an operation as the journal keeps it.
type entry struct {
	At       time.Time `json:"at"`
	Kind     Kind      `json:"kind"`
	Key      string    `json:"key,omitzero"`
	Amount   int64     `json:"amount,omitzero"`
	Status   int       `json:"status"`
	Code     Code      `json:"code,omitzero"`
	IntentID string    `json:"intent"`
	Intent   *Intent   `json:"after,omitzero"` // nil: as it was
}

// book holds every intent and every operation in memory, about half a kilobyte an operation. Intents are never changed
// in place, so that operations can share them.
//
// Whoever reads it must wait for the position it returns before answering anybody.
type book struct {
	journal *journal.Journal
	ttl     time.Duration
	clock   func() time.Time

	mu         sync.Mutex
	intents    map[string]*Intent    // by id
	answers    map[string]*Operation // by idempotency key
	operations []*Operation
	attempts   map[string]Attempts // by intent, since the start
}

func openBook(path string, config Config) (*book, error) {
	b := &book{
		ttl:      config.AuthorizationTTL,
		clock:    config.Clock,
		intents:  make(map[string]*Intent),
		answers:  make(map[string]*Operation),
		attempts: make(map[string]Attempts),
	}
	var err error
	b.journal, err = journal.Open(path, func(line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		_, err := b.apply(e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// openIntent returns the intent of the reference, and whether it is new. It is refused if it is not the one wanted.
func (b *book) openIntent(wanted Intent) (*Intent, bool, refusal, journal.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()

	wanted.ID = intentID(wanted.Reference)
	if known := b.intents[wanted.ID]; known != nil {
		if known.Amount != wanted.Amount || known.Currency != wanted.Currency ||
			known.PaymentMethod != wanted.PaymentMethod {
			return known, false, refuseReferenceReused, b.journal.End()
		}
		return known, false, refusal{}, b.journal.End()
	}

	now := b.now()
	wanted.Status, wanted.CreatedAt, wanted.UpdatedAt = StatusRequiresAuthorization, now, now
	_, position := b.record(entry{At: now, Kind: KindOpen, Amount: wanted.Amount, IntentID: wanted.ID, Intent: &wanted})
	return &wanted, true, refusal{}, position
}

// operate performs the operation, or finds the answer that its key was given before. The intent is nil if there is
// none.
func (b *book) operate(kind Kind, id, key string, amount int64) (*Intent, refusal, journal.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()

	before := b.intents[id]
	if before == nil {
		return nil, refuseNotFound, b.journal.End()
	}
	if known := b.answers[key]; known != nil {
		if known.Kind != kind || known.After.ID != id || known.Amount != amount {
			return before, refuseKeyReused, b.journal.End()
		}
		return known.After, refusals[known.Code], b.journal.End()
	}

	now := b.now()
	after, refused := *before, refusal{}
	switch kind {
	case KindAuthorize:
		after, refused = before.authorize(now, b.ttl)
	case KindCapture:
		after, refused = before.capture(amount, now)
	case KindCancel:
		after, refused = before.cancel(now)
	case KindRefund:
		after, refused = before.refund(amount, now)
	}
	e := entry{At: now, Kind: kind, Key: key, Amount: amount, Status: refused.Status, Code: refused.Code, IntentID: id}
	if after != *before {
		e.Intent = &after
	}
	operation, position := b.record(e)
	return operation.After, refused, position
}

// pending says how the card of the intent behaves while an authorization under the key is still to be decided. Empty:
// it does not matter.
func (b *book) pending(id, key string) Token {
	b.mu.Lock()
	defer b.mu.Unlock()

	intent := b.intents[id]
	if intent == nil || intent.Status != StatusRequiresAuthorization || b.answers[key] != nil {
		return ""
	}
	return intent.PaymentMethod
}

func (b *book) intent(id string) (*Intent, journal.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.intents[id], b.journal.End()
}

// since returns at most limit operations after the one numbered seq.
func (b *book) since(seq int64, limit int) ([]*Operation, journal.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := min(seq, int64(len(b.operations)))
	last := min(first+int64(limit), int64(len(b.operations)))
	return b.operations[first:last:last], b.journal.End()
}

// now returns the time, UTC and to the microsecond, but never one before the last operation's.
func (b *book) now() time.Time {
	now := b.clock().UTC().Truncate(time.Microsecond)
	if n := len(b.operations); n > 0 && now.Before(b.operations[n-1].At) {
		return b.operations[n-1].At
	}
	return now
}

// record applies the entry and hands it to the journal.
func (b *book) record(e entry) (*Operation, journal.Position) {
	if e.Code == "" {
		e.Status = 200
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("encode an entry of the ledger: %v", err)) // only types of this file: a programming error
	}
	operation, err := b.apply(e)
	if err != nil {
		panic(fmt.Sprintf("apply a new entry of the ledger: %v", err))
	}
	return operation, b.journal.Write(line)
}

// apply changes the state by one entry, new or replayed.
func (b *book) apply(e entry) (*Operation, error) {
	before := b.intents[e.IntentID]
	after := before
	if e.Intent != nil {
		after = e.Intent
	}
	if after == nil || after.ID != e.IntentID || (before == nil) != (e.Kind == KindOpen) {
		return nil, fmt.Errorf("%w: %s of the unknown intent %q", journal.ErrCorrupt, e.Kind, e.IntentID)
	}

	operation := &Operation{Seq: int64(len(b.operations)) + 1, At: e.At, Kind: e.Kind, Key: e.Key, Amount: e.Amount,
		Status: e.Status, Code: e.Code, Before: before, After: after}
	b.operations = append(b.operations, operation)
	b.intents[after.ID] = after
	if e.Key != "" {
		b.answers[e.Key] = operation
	}
	return operation, nil
}
