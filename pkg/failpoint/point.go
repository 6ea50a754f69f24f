// Package failpoint kills the process at named instructions, so that tests can see that nothing is lost there. It is
// empty unless the program is built with the tag failpoint: a call then compiles to nothing, and its name is not in
// the program.
//
// QUADRILLE_TEST_FAILPOINT="unit/committed=3" kills it when the point is hit for the third time, without a number when
// it is hit first; several are separated by commas.
package failpoint

// Point is an instruction at which a process can be killed.
type Point string

// The points, in the order in which a message, an event and an outside call meet them.
const (
	// UnitLoaded comes after a batch's state was loaded, UnitDecided after it was decided, UnitSaved after it was
	// saved.
	UnitLoaded  Point = "unit/loaded"
	UnitDecided Point = "unit/decided"
	UnitSaved   Point = "unit/saved"
	// InboxInserted, LetterWritten and OutboxInserted come after those rows were, before the commit.
	InboxInserted  Point = "inbox/inserted"
	LetterWritten  Point = "letter/written"
	OutboxInserted Point = "outbox/inserted"
	// LetterMoving comes before the inbox rows of parked events that were tried again are moved, LetterMoved after
	// that, before their letters are.
	LetterMoving Point = "letter/moving"
	LetterMoved  Point = "letter/moved"
	// UnitCommitted comes after the commit, before anybody is told.
	UnitCommitted Point = "unit/committed"
	// CommandCommitted comes before a command that is committed is answered.
	CommandCommitted Point = "command/committed"
	// RelayHandedOver comes after each record that is handed to the Kafka client, RelayProduced after all were
	// acknowledged, before their rows are deleted.
	RelayHandedOver Point = "relay/handed-over"
	RelayProduced   Point = "relay/produced"
	// ConsumerTaken comes after a batch is committed, before its offsets are.
	ConsumerTaken Point = "consumer/taken"
	// ConsumerYielding comes before a rebalance is allowed.
	ConsumerYielding Point = "consumer/yielding"
	// CallClaimed comes before a call whose lease is committed, CallAnswered before its answer is handed in, CallTaken
	// after the answer is committed, before the lease is ended.
	CallClaimed  Point = "call/claimed"
	CallAnswered Point = "call/answered"
	CallTaken    Point = "call/taken"
	// TimerDue comes before a due timer is handed in.
	TimerDue Point = "timer/due"
	// Migrated comes after each set of migrations.
	Migrated Point = "database/migrated"
)
