package checker

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// State is what can be seen of a platform.
type State struct {
	// Sent is what clients asked for, each request by itself; see [Recorder]. If it is nil nobody took notes, and what
	// follows from accepted commands is not checked. If not, it holds every order that anybody placed.
	Sent []Sent
	// Before is how much of each sku had come in before anybody took notes.
	Before map[string]int64
	// Injected are the records that the test itself appended to topics.
	Injected []Injected
	// Lost says that processes were killed or answers lost, so that a mail may have gone out twice.
	Lost bool
	// BusyUndone says that no transaction's own answer was lost, so that 503 means not done.
	BusyUndone bool
	// Skew is by how much the times at which one service handled things may run back: how far its clocks are apart,
	// and, where processes handled the same partitions, how long a transaction may take, whose time is that of its
	// beginning. At 0 one process at a time had one clock.
	Skew time.Duration

	// Log is all that the topics hold, by topic, partition and offset.
	Log []Record
	// Partitions are those of all topics that the platform's events go through.
	Partitions []Partition

	// Alive says of each service why it does not answer, nil if it does.
	Alive map[string]error

	// Orders are those that order's list shows, Shown what each looks like by itself, Histories their events.
	Orders    []client.Order
	Shown     map[string]client.Order
	Histories map[string][]client.OrderEvent
	// Catalogue is what order can sell, Products what inventory has.
	Catalogue, Products []client.Product
	// Reservations and Payments are by order; one that there is none of is absent.
	Reservations  map[string]client.Reservation
	Payments      map[string]client.Payment
	Ledger        []client.LedgerLine
	Notifications []client.Notification

	// Letters are those that the services list as parked or dead, by service.
	Letters map[string][]client.DeadLetter

	// Operations is the gateway's own record.
	Operations []client.Operation
	// Mails are those that the mailbox has, in the order of arrival.
	Mails []client.Mail

	// Databases are what was seen of those that could be looked into, by service.
	Databases map[string]Database
}

// Record is one of a topic.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte // nil for a tombstone
	Headers   []event.Header

	// Event is the envelope as far as it is well formed. Its Data is nil for a tombstone, and for what this release
	// cannot read.
	Event event.Event
	// Unknown says that it was written with a schema of a type that this release does not know.
	Unknown bool
	// Fault is why it cannot be read; nil if it can, or is Unknown.
	Fault error
}

// Injected names a record that the test appended to a topic.
type Injected struct {
	Topic     string
	Partition int32
	Offset    int64
	// Poison is a record that cannot be handled: each service that consumes the topic must have a dead letter of it,
	// or the record itself again once it was discarded. Others are copies of what was there, or of types that nobody
	// knows.
	Poison bool
}

// Partition of a topic.
type Partition struct {
	Topic string
	ID    int32
	// Start and End are the offsets of the first record and of the one that comes next.
	Start, End int64
	// Committed is the next offset that each consumer group will read, by service; absent if it has committed none.
	Committed map[string]int64
}

// Database is what was seen of a service's own.
type Database struct {
	Inbox   []InboxRow
	Letters []Letter
	Rulings []Ruling
	// Outbox is how many rows it has.
	Outbox int
	// Movements are inventory's.
	Movements []Movement
	// InOrder says that Inbox and Movements are in the order in which they were written, but for the rows of the inbox
	// that one transaction wrote.
	InOrder bool
}

// InboxRow is what was handled.
type InboxRow struct {
	Scope    string `db:"scope"`
	ID       string `db:"id"`
	State    string `db:"state"` // done, parked, dead or discarded
	Digest   []byte `db:"digest"`
	Resource string `db:"resource"` // the key
	// Attempts is 0 if it was done when it came, and never parked or dead.
	Attempts int64 `db:"attempts"`
	// Handled is when the transaction began that made it what it is.
	Handled time.Time `db:"handled_at"`
}

// Letter is a message that could not be handled.
type Letter struct {
	Scope string `db:"scope"`
	ID    string `db:"id"`
	// Partition and Offset are 0 and Value is nil for a timer or an answer.
	Partition int32  `db:"partition_id"`
	Offset    int64  `db:"record_offset"`
	Key       []byte `db:"record_key"`
	Value     []byte `db:"record_value"`
	Headers   string `db:"headers"` // JSON: [[name, value], …], both in base64
	Class     string `db:"class"`
	Error     string `db:"error"`
}

// Ruling is what an operator did with a letter.
type Ruling struct {
	Scope    string `db:"scope"`
	ID       string `db:"id"`
	Action   string `db:"action"` // redrive or discard
	Operator string `db:"operator"`
}

// Movement of stock.
type Movement struct {
	OrderID  string `db:"order_id"` // empty for a restock
	SKU      string `db:"sku"`
	Version  int64  `db:"version"`
	Kind     string `db:"kind"`
	Quantity int64  `db:"quantity"`
	EventID  string `db:"event_id"`
}
