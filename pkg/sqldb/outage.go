package sqldb

import (
	"context"
	"fmt"
)

// Step of a transaction at which [WithOutage] can strike.
type Step int

// The steps.
const (
	// StepBegin comes before the transaction is begun.
	StepBegin Step = iota + 1
	// StepStatement comes before each statement.
	StepStatement
	// StepCommit comes before the commit, which then never happens.
	StepCommit
	// StepCommitted comes after the commit, whose answer is then lost.
	StepCommitted
)

// Outage is asked at each step of a transaction, which writes or only reads. What it returns, unless nil, is what
// infrastructure fails with there: the database is out of reach, and whether a commit was done is not known.
type Outage func(ctx context.Context, step Step, writes bool) error

// WithOutage has outages strike transactions; one that was begun is rolled back. A simulation of faults needs it.
// Defaults to none.
func WithOutage(outage Outage) Option {
	return func(c *config) { c.outage = outage }
}

// struck asks the outage.
func (db *DB) struck(ctx context.Context, step Step, writes bool) error {
	if db.outage == nil {
		return nil
	}
	if err := db.outage(ctx, step, writes); err != nil {
		return &unavailableError{err}
	}
	return nil
}

// unknown says that nobody knows whether a commit was done.
func unknown(err error) error {
	return &unavailableError{fmt.Errorf("commit, with unknown outcome: %w", err)}
}
