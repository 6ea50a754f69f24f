package work

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

var (
	// ErrReused says that the same id came before with another body: a caller's mistake for an Idempotency-Key, a
	// contradiction for an event.
	ErrReused = errors.New("the same id was used before with other content")
	// ErrBusy says that a command was not done, because too many wait or the database is away. Try again later.
	ErrBusy = errors.New("not done: the service is busy or its database is away")
	// ErrConflict is what Save returns when fewer rows changed than it meant to change: another transaction was
	// there first, and the batch is loaded and decided again.
	ErrConflict = errors.New("changed meanwhile by another transaction")
	// ErrPanic wraps what a Decide panicked with.
	ErrPanic = errors.New("decide panicked")
	// ErrBehind queues an event because an earlier one of its topic and key is parked or dead.
	ErrBehind = errors.New("waits behind an earlier event of its key")
	// ErrParked says that a timer or an answer failed before and is not due yet.
	ErrParked = errors.New("parked until it is tried again")
	// ErrDead says that a timer or an answer failed for good: until an operator redrives it, it is not tried again.
	ErrDead = errors.New("dead until an operator redrives it")
	// ErrStopped says that the unit has stopped or the caller gave up; the message is not done.
	ErrStopped = errors.New("not done: stopped")
)

// Scopes of messages that are neither events nor commands.
const (
	ScopeTimer = "timer"
	ScopeCall  = "call"
)

// Input is what a message asks of the domain.
type Input[S, E any] interface {
	// Decide folds the message into state and returns what has happened. It is pure: no clock, database or
	// randomness. It is total: it never panics. After an error the state is as before.
	//
	// An error is final, for on equal state it would come again. One with a method NotYet that returns true says that
	// something of another key has to come first: the message is parked and tried again.
	Decide(state S) ([]E, error)
}

// Message is anything that asks for a change: a command, an event, a due timer, the answer of an outside call.
type Message[I any] struct {
	// Scope and ID identify it in the inbox. Scope is the topic of an event, "METHOD /path" of a command,
	// ScopeTimer or ScopeCall. ID is the event's id, the Idempotency-Key or an id minted on arrival.
	Scope, ID string
	// Letter is the id under which a timer or an answer is parked or dead, where that is not ID: the claims of one call
	// have one letter.
	Letter string
	// Key is that of the aggregate: the order id or the sku. That of an event is empty if it cannot be one; the event
	// then holds nothing back.
	Key string
	// Digest is the SHA-256 of an event's value or of a command's body. The same ID with another digest is
	// ErrReused.
	Digest [32]byte
	// Status is the HTTP status that answers a command; repeats get the first one's.
	Status int
	// Cause is passed on to every event that the message leads to. Cause.ID identifies the message towards other
	// services, and the ids of its events derive from it.
	Cause event.Cause
	// Record is what was consumed, nil unless the message is an event.
	Record *Record
	// Unlogged is set where an older or repeated message changes nothing by itself, because state keeps the newer
	// version: it has no inbox row unless it is refused, and then it holds nothing back.
	Unlogged bool
	// Fault says why the message could not be decoded, as a *Fault if its class is not ClassUndecodable; Input is then
	// nil and the message is dead, or parked if the Fault says so.
	Fault error
	Input I
	// At is when it arrived.
	At time.Time
	// Span is that of its way through the unit of work, which ends it; nil unless its trace is recorded.
	Span trace.Span
}

// Record is a consumed Kafka record as it was.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []event.Header
}

// Receipt answers a command that was done, now or before.
type Receipt struct {
	// Key and Status are those of the first copy.
	Key    string
	Status int
	// Repeated is true if an earlier copy did the work.
	Repeated bool
}

// Fault is why a record could not be decoded.
type Fault struct {
	Class Class
	// Passing says that time may mend it: the record is parked, for Parking.PassingFor at most.
	Passing bool
	Err     error
}

// Error implements error.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns what the Fault is about.
func (f *Fault) Unwrap() error { return f.Err }

// Refusal names a message of a Take that was set aside, parked or dead, and why.
type Refusal struct {
	// Index is its place among the messages taken.
	Index int
	Err   error
}

// Fact is a domain event with the identity it will be known by.
type Fact[E any] struct {
	ID    string
	Cause event.Cause
	Event E
}

// Service is what the author of a service gives the Unit.
type Service[I Input[S, E], S, E any] struct {
	// Name of the service, such as "order". It is the source of its events.
	Name string
	// Load reads what inputs need into a state. It takes its locks first, in a fixed order of tables and sorted
	// keys, and reads in later statements.
	Load func(ctx context.Context, tx *sqldb.Tx, inputs []I) (S, error)
	// Save writes what changed, from the loaded version to the final one, and returns ErrConflict if a row was
	// missing. Facts are all that the batch decided, in order.
	Save func(ctx context.Context, tx *sqldb.Tx, state S, facts []Fact[E]) error
	// Publish turns a domain event into an Event with Key, Sequence, Time and Data. False: it stays private.
	Publish func(E) (event.Event, bool)
	// Encode returns the bytes of e.Data and sets e.Type and e.Topic.
	Encode func(e *event.Event) ([]byte, error)
}
