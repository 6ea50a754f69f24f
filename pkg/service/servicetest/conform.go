package servicetest

import (
	"context"
	"net/http"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Conform holds a service to what every service must keep, on SQLite and on PostgreSQL, one subtest a rule: however its
// story is cut, repeated or interrupted, state and published events are the same in the end; what fails leaves nothing;
// what is hostile breaks nothing; and the HTTP API is as its description says. Registry answers the schema registry's
// HTTP requests.
func Conform[I work.Input[S, E], S, E any](t *testing.T, registry http.Handler, def service.Definition[I, S, E],
	story Story[I]) {
	t.Helper()
	for _, database := range []sqldb.Dialect{sqldb.SQLite, sqldb.Postgres} {
		t.Run(database.String(), func(t *testing.T) {
			s := newStage(t, database, registry, def, story)
			for _, r := range rules[I, S, E]() {
				if r.only != 0 && r.only != database {
					continue
				}
				t.Run(r.name, func(t *testing.T) {
					if r.long && database == sqldb.SQLite && testing.Short() {
						t.Skip("-short: without it, it is checked here too; SQLite is slow under the race detector")
					}
					if err := r.check(s, t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// rule is one thing that a service must keep. Check returns what breaks it.
type rule[I work.Input[S, E], S, E any] struct {
	name  string
	check func(*stage[I, S, E], context.Context) error
	// only is the database on which it can be checked, 0 for both.
	only sqldb.Dialect
	// long is set if the story is played many times.
	long bool
}

func rules[I work.Input[S, E], S, E any]() []rule[I, S, E] {
	return []rule[I, S, E]{
		{name: "the story tells of every event type", check: (*stage[I, S, E]).storyIsWhole},
		{name: "in one batch it ends the same", check: (*stage[I, S, E]).oneBatch},
		{name: "in random batches it ends the same", check: (*stage[I, S, E]).randomBatches},
		{name: "with every message twice it ends the same", check: (*stage[I, S, E]).everyMessageTwice},
		{name: "told again it ends the same", check: (*stage[I, S, E]).toldAgain},
		{name: "two replicas that race end the same", check: (*stage[I, S, E]).replicasRace, only: sqldb.Postgres},
		{name: "a refused message changes nothing", check: (*stage[I, S, E]).refusalChangesNothing, long: true},
		{name: "a panic spoils nothing else", check: (*stage[I, S, E]).panicSpoilsNothing, long: true},
		{name: "poison holds only its key back", check: (*stage[I, S, E]).poisonHoldsOnlyItsKeyBack},
		{name: "what was loaded too early is decided again", check: (*stage[I, S, E]).staleIsDecidedAgain, long: true},
		{name: "a failed statement leaves nothing", check: (*stage[I, S, E]).failedStatementLeavesNothing, long: true},
		{name: "what is published keeps the contract", check: (*stage[I, S, E]).publishedKeepsContract},
		{name: "a failed decision changes no state", check: (*stage[I, S, E]).failedDecisionChangesNothing, long: true},
		{name: "events of no interest are no faults", check: (*stage[I, S, E]).foreignIsUnwanted},
		{name: "bad keys are faults and no panics", check: (*stage[I, S, E]).badKeysAreFaults},
		{name: "migrations go there and back", check: (*stage[I, S, E]).migrationsGoThereAndBack},
		{name: "the API documents its problems", check: (*stage[I, S, E]).apiDocumentsProblems},
		{name: "the API refuses what it does not know", check: (*stage[I, S, E]).apiRefusesUnknown},
		{name: "a command with an Idempotency-Key is done once", check: (*stage[I, S, E]).commandsAreDoneOnce},
	}
}
