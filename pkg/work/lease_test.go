package work_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// A job is an aggregate that does nothing but call out. It forgets what was answered: each test says what is due.
var jobMigration = fstest.MapFS{"00001_jobs.sql": {Data: []byte(`-- +goose Up
CREATE TABLE jobs (
	name       TEXT COLLATE "C" PRIMARY KEY,
	next_call  TEXT,
	updated_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE calls (
	name         TEXT COLLATE "C" PRIMARY KEY,
	operation    TEXT        NOT NULL,
	claims       BIGINT      NOT NULL,
	attempts     BIGINT      NOT NULL,
	leased_until TIMESTAMPTZ NOT NULL,
	retry_at     TIMESTAMPTZ NOT NULL
);
`)}}

type job struct {
	Name     string    `db:"name"`
	NextCall *string   `db:"next_call"`
	Updated  time.Time `db:"updated_at"`
}

// errand is the call of a job.
type errand struct {
	To, Operation string
	Claim         int64
}

func (e errand) Lease() (string, int64) { return e.To, e.Claim }

const leaseLength = 15 * time.Second

func errands() work.Leases[errand] {
	return work.Leases[errand]{
		Aggregates: "jobs", Key: "name", Length: leaseLength,
		Next: func(ctx context.Context, tx *sqldb.Tx, keys []string) (next []work.NextCall[errand], err error) {
			rows := make([]job, len(keys))
			for i, key := range keys {
				rows[i].Name = key
			}
			if err := tx.With(rows).Lock(ctx, `
				SELECT j.name FROM jobs j JOIN rows ON rows.name = j.name ORDER BY j.name`); err != nil {
				return nil, err
			}
			found, err := sqldb.Select[job](ctx, tx.With(rows), `
				SELECT j.name, j.next_call, j.updated_at FROM jobs j JOIN rows ON rows.name = j.name
				WHERE j.next_call IS NOT NULL`)
			for _, j := range found {
				next = append(next, work.NextCall[errand]{
					Key: j.Name, Operation: *j.NextCall,
					Call: func(claim int64) errand { return errand{j.Name, *j.NextCall, claim} },
				})
			}
			return next, err
		},
	}
}

func eachWithJobs(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		err := errors.Join(
			sqldb.Migrate(t.Context(), db, work.Migrations(), "work"),
			sqldb.Migrate(t.Context(), db, jobMigration, "service"),
		)
		if err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

// ask makes an operation the next call of a job.
func ask(t *testing.T, db *sqldb.DB, name, operation string, at time.Time) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.With([]job{{name, &operation, at}}).Exec(t.Context(), `
			INSERT INTO jobs (name, next_call, updated_at) SELECT name, next_call, updated_at FROM rows WHERE true
			ON CONFLICT (name) DO UPDATE SET next_call = excluded.next_call, updated_at = excluded.updated_at`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func claimErrands(t *testing.T, db *sqldb.DB, now time.Time, limit int, done ...work.Ended[errand]) []errand {
	t.Helper()
	calls, err := errands().Claim(t.Context(), db, done, now, limit)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// one fails the test unless there is exactly one call.
func one(t *testing.T, calls []errand) errand {
	t.Helper()
	if len(calls) != 1 {
		t.Fatalf("%d calls were claimed, want one: %+v", len(calls), calls)
	}
	return calls[0]
}

func none(t *testing.T, calls []errand) {
	t.Helper()
	if len(calls) > 0 {
		t.Fatalf("calls were claimed that are not due: %+v", calls)
	}
}

func failed(e errand) work.Ended[errand] { return work.Ended[errand]{Call: e, Err: errNoAnswer} }

// second returns a time that both databases keep as it is.
func second(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, n, 123_000, time.UTC) }

func TestOneCallAtATime(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		ask(t, db, "a", "ask", second(1))
		first := one(t, claimErrands(t, db, second(10), 10))
		ask(t, db, "a", "stop", second(2))
		none(t, claimErrands(t, db, second(10).Add(leaseLength-time.Microsecond), 10))

		after := one(t, claimErrands(t, db, second(10).Add(leaseLength), 10))
		if diff := cmp.Diff(errand{"a", "stop", 2}, after); diff != "" {
			t.Errorf("after the lease ran out (-want +got):\n%s", diff)
		}
		// The first ends late: it must not end the lease of the second.
		none(t, claimErrands(t, db, second(10).Add(leaseLength), 10, work.Ended[errand]{Call: first}))
		none(t, claimErrands(t, db, second(10).Add(2*leaseLength-time.Microsecond), 10))
		one(t, claimErrands(t, db, second(10).Add(2*leaseLength), 10))
	})
}

func TestAFailedCallWaits(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		ask(t, db, "a", "ask", second(1))
		now := second(10)
		call := one(t, claimErrands(t, db, now, 10))
		for _, wait := range []time.Duration{100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000} {
			wait *= time.Millisecond
			none(t, claimErrands(t, db, now, 10, failed(call)))
			none(t, claimErrands(t, db, now.Add(wait-time.Microsecond), 10))
			now = now.Add(wait)
			call = one(t, claimErrands(t, db, now, 10))
		}
		if call.Claim != 10 {
			t.Errorf("the tenth claim has the number %d", call.Claim)
		}

		// Another operation does not wait for the failures of this one, and begins with short pauses.
		ask(t, db, "a", "stop", second(2))
		call = one(t, claimErrands(t, db, now, 10, failed(call)))
		if call.Operation != "stop" {
			t.Fatalf("%s was claimed, want stop", call.Operation)
		}
		none(t, claimErrands(t, db, now, 10, failed(call)))
		one(t, claimErrands(t, db, now.Add(100*time.Millisecond), 10))
	})
}

func TestAnAnswerThatSettlesNothingWaitsToo(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		ask(t, db, "a", "ask", second(1))
		call := one(t, claimErrands(t, db, second(10), 10))
		none(t, claimErrands(t, db, second(10), 10, work.Ended[errand]{Call: call}))
		one(t, claimErrands(t, db, second(10).Add(100*time.Millisecond), 10))
	})
}

func TestClaimHonoursTheLimit(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		names := []string{"a", "b", "c", "d", "e"}
		for _, name := range names {
			ask(t, db, name, "ask", second(1))
		}
		none(t, claimErrands(t, db, second(10), 0))
		calls := claimErrands(t, db, second(10), 2)
		if len(calls) != 2 {
			t.Fatalf("%d calls were claimed, want 2", len(calls))
		}
		// A limit of 0 claims none, and ends leases all the same.
		none(t, claimErrands(t, db, second(10), 0, failed(calls[0]), failed(calls[1])))
		var got []string
		for _, c := range claimErrands(t, db, second(11), 10) {
			got = append(got, c.To)
		}
		slices.Sort(got)
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	})
}

// TestIdleClaimWritesNothing asks for calls while another transaction that writes is open: on SQLite, where there is
// one at a time, a claim that opened its own would wait until the patience ends.
func TestIdleClaimWritesNothing(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		err := db.Tx(t.Context(), func(*sqldb.Tx) error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			calls, err := errands().Claim(ctx, db, nil, second(10), 10)
			none(t, calls)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestHangingCallsDoNotStarveOthers has one slot and six jobs whose calls hang for longer than any pause: whenever one
// ends, the others can be claimed again.
func TestHangingCallsDoNotStarveOthers(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		var hanging []string
		for i := range 6 {
			hanging = append(hanging, fmt.Sprintf("hanging/%d", i))
			ask(t, db, hanging[i], "ask", second(i))
		}
		now := second(10)
		var ends []work.Ended[errand]
		next := func() string {
			call := one(t, claimErrands(t, db, now, 1, ends...))
			now = now.Add(11 * time.Second)
			ends = []work.Ended[errand]{failed(call)}
			return call.To
		}
		var got []string
		for range 9 {
			got = append(got, next())
		}
		if diff := cmp.Diff(slices.Concat(hanging, hanging[:3]), got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}

		ask(t, db, "fresh", "ask", now)
		ask(t, db, hanging[0], "stop", now.Add(time.Second))
		// The pauses of 3, 4, 5 and 1 were over before the new job came, that of 2 ended between the two.
		want := append(slices.Clone(hanging[3:]), hanging[1], "fresh", hanging[2], hanging[0])
		got = nil
		for range want {
			got = append(got, next())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claimed after a job and another operation came (-want +got):\n%s", diff)
		}
	})
}

// TestAnAbandonedCallIsDueSinceItsLeaseRanOut has a call whose process died.
func TestAnAbandonedCallIsDueSinceItsLeaseRanOut(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		ask(t, db, "abandoned", "ask", second(0))
		one(t, claimErrands(t, db, second(1), 1))
		ask(t, db, "before", "ask", second(1).Add(leaseLength-time.Second))
		ask(t, db, "after", "ask", second(1).Add(leaseLength+time.Second))
		var got []string
		for _, call := range claimErrands(t, db, second(3).Add(leaseLength), 10) {
			got = append(got, call.To)
		}
		if diff := cmp.Diff([]string{"before", "abandoned", "after"}, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	})
}
