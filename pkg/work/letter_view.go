package work

import (
	"errors"
	"time"
)

var (
	// ErrNoLetter says that there is no letter of that number: it was never there, or its message was handled after
	// all, or it was pruned.
	ErrNoLetter = errors.New("no such letter")
	// ErrNotHead refuses to move a letter that waits behind an earlier one of its topic and key.
	ErrNotHead = errors.New("waits behind an earlier letter of its key")
	// ErrMoved refuses to move a letter that is not, or no longer, in a state from which it can be: another operator
	// or the service itself was there first.
	ErrMoved = errors.New("the letter is not in a state that allows it")
)

// LetterState is that of a message in the inbox which was not simply done.
type LetterState string

// The states of a letter. A parked one is tried again by itself; a dead one waits for an operator; both hold back what
// is behind them. A discarded one holds nothing back and is kept until it is pruned.
const (
	LetterParked    LetterState = "parked"
	LetterDead      LetterState = "dead"
	LetterDiscarded LetterState = "discarded"
)

// Letter is a message that could not be handled. Events that are parked or dead and have the same topic and key are a
// queue, oldest first. A timer, the answer of a call, an event that is not logged or whose key cannot be one wait for
// nobody, and nobody for them.
type Letter struct {
	// Seq identifies it in this service's database. Later ones are higher.
	Seq int64 `db:"seq"`
	// Scope, ID and Key are those of the message.
	Scope string `db:"scope"`
	ID    string `db:"id"`
	Key   string `db:"resource"`
	// Type is what its headers claim, however wrong; empty if they claim none.
	Type  string      `db:"type"`
	State LetterState `db:"state"`
	// Head is true of the first that is open in its queue, the only one that can be moved by itself.
	Head bool `db:"head"`
	// Attempts is how often it was tried since it came or was last redriven.
	Attempts int64 `db:"attempts"`
	// Class of the failure, stable; Error is for people.
	Class Class  `db:"class"`
	Error string `db:"error"`

	ArrivedAt time.Time `db:"arrived_at"`
	// FirstFailed and LastFailed are nil while it only waits behind another.
	FirstFailed *time.Time `db:"first_failed"`
	LastFailed  *time.Time `db:"last_failed"`
	// RetryAt is when a parked one is due.
	RetryAt *time.Time `db:"retry_at"`
}

// OpenedLetter is a letter with all that is known of it.
type OpenedLetter struct {
	Letter
	// Record is what was consumed, to the byte. Nil for a timer and the answer of a call, which are made again.
	Record *Record
	// Rulings are what operators did to it, oldest first.
	Rulings []Ruling
	// Waiting is how many wait behind it, Behind are the first of them.
	Waiting int64
	Behind  []Letter
}

// Ruling is what an operator did to a letter, and why.
type Ruling struct {
	Action   Action    `db:"action"`
	Operator string    `db:"operator"`
	Reason   string    `db:"reason"`
	At       time.Time `db:"ruled_at"`
}

// Action is what an operator can do to a letter.
type Action string

// The actions.
const (
	// ActionRedrive has a dead letter tried again, now and by the rules for a parked one.
	ActionRedrive Action = "redrive"
	// ActionDiscard gives a letter up, so that those behind it go on.
	ActionDiscard Action = "discard"
)

// LetterFilter says which letters are meant. An empty field means all.
type LetterFilter struct {
	// State is that of the letters. Empty: parked and dead.
	State LetterState
	// Scope is a topic, [ScopeTimer] or [ScopeCall].
	Scope string
	Key   string
	// Type is the full name of the event's record, or its last part.
	Type  string
	Class Class
	// Before is met by what failed first, or has arrived to wait behind another, before then.
	Before time.Time
}

// record reads what was consumed.
func (r recordRow) record(scope string) (*Record, error) {
	if r.Partition == nil || r.Offset == nil {
		return nil, nil
	}
	record := &Record{Topic: scope, Partition: int32(*r.Partition), Offset: *r.Offset, Key: r.Key, Value: r.Value}
	if r.Headers == nil {
		return record, nil
	}
	headers, err := unmarshalHeaders(*r.Headers)
	record.Headers = headers
	return record, err
}

// recordRow is a consumed record in the table of letters.
type recordRow struct {
	// Queue is null of a letter that is none's head and none's follower.
	Queue     *string `db:"queue"`
	Partition *int64  `db:"partition_id"`
	Offset    *int64  `db:"record_offset"`
	Key       []byte  `db:"record_key"`
	Value     []byte  `db:"record_value"`
	Headers   *string `db:"headers"`
}
