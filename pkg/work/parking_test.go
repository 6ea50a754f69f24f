package work_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// after adds to a key once another has a total.
type after struct {
	to, other string
	n         int64
}

type notYet string

func (e notYet) Error() string { return string(e) + " is not known yet" }
func (notYet) NotYet() bool    { return true }

func (m after) key() string { return m.to }

func (m after) Decide(b book) ([]happened, error) {
	if b[m.other] == nil || b[m.other].Total == 0 {
		return nil, notYet(m.other)
	}
	return add{m.to, m.n}.Decide(b)
}

// lot is a parking lot of the toy, whose records hold nothing: what each id asks for is looked up in a table.
func lot(f *fixture, db *sqldb.DB, messages map[string]work.Message[input]) *work.ParkingLot[input] {
	return work.NewParkingLot(work.ParkingConfig[input]{
		DB: db, Retry: f.Retry,
		Owned: func() map[string][]int32 { return map[string][]int32{"source.events": {0}} },
		Decode: func(_ context.Context, r *work.Record) (work.Message[input], bool, error) {
			for _, h := range r.Headers {
				if h.Key == "id" {
					return messages[string(h.Value)], true, nil
				}
			}
			return work.Message[input]{}, false, errors.New("no id")
		},
	})
}

func withID(m work.Message[input]) work.Message[input] {
	m.Record.Headers = []event.Header{{Key: "id", Value: []byte(m.ID)}}
	m.Record.Value = []byte("bytes of " + m.ID)
	return m
}

// inLot runs a toy and its parking lot in virtual time.
func inLot(t *testing.T, cfg work.Config, fn func(t *testing.T, db *sqldb.DB, take func(...work.Message[input]))) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), cfg)
		defer f.start(t)()
		known := make(map[string]work.Message[input])
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		var started atomic.Bool
		defer func() {
			if cancel(); started.Load() {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}()
		fn(t, db, func(messages ...work.Message[input]) {
			for i := range messages {
				messages[i] = withID(messages[i])
				known[messages[i].ID] = messages[i]
			}
			f.take(t, messages...)
			if !started.Swap(true) {
				l := lot(f, db, known)
				go func() { done <- l.Run(ctx) }()
			}
		})
	})
}

func keysOf(t testing.TB, db *sqldb.DB, key string) []int64 {
	t.Helper()
	var ns []int64
	for _, e := range published(t, db) {
		if e.Key == key {
			ns = append(ns, e.N)
		}
	}
	return ns
}

func TestWhatComesTooEarlyIsParkedWithItsFollowersAndDrainedInOrder(t *testing.T) {
	inLot(t, work.Config{}, func(t *testing.T, db *sqldb.DB, take func(...work.Message[input])) {
		take(consumed("1", add{"a", 1}), consumed("2", after{"a", "b", 2}), consumed("3", add{"a", 3}), consumed("4", add{"c", 4}))
		time.Sleep(10 * time.Second)
		take(consumed("5", add{"a", 5}), consumed("6", add{"c", 6}))
		if diff := cmp.Diff(map[string]int64{"a": 1, "c": 10}, totals(t, db)); diff != "" {
			t.Error("G3: totals while it waits (-want +got):\n" + diff)
		}
		got := letters(t, db)
		if len(got) != 3 || !strings.HasPrefix(got[0], "2 parked not_yet ") ||
			!slices.Equal(got[1:], []string{"3 parked behind 0", "5 parked behind 0"}) {
			t.Errorf("letters %v", got)
		}
		take(consumed("7", add{"b", 1}))
		time.Sleep(2 * time.Minute)
		if diff := cmp.Diff([]int64{1, 2, 3, 5}, keysOf(t, db, "a")); diff != "" {
			t.Error("G3: events of the parked key, in order (-want +got):\n" + diff)
		}
		if got := letters(t, db); len(got) != 0 {
			t.Errorf("G7: left over: %v", got)
		}
		for _, state := range selectAll[string](t, db, `SELECT state FROM inbox`) {
			if state != "done" {
				t.Errorf("G7: a row of the inbox is %s", state)
			}
		}
		take(consumed("3", add{"a", 3}), consumed("8", add{"a", 8}))
		if diff := cmp.Diff([]int64{1, 2, 3, 5, 8}, keysOf(t, db, "a")); diff != "" {
			t.Error("G2: events after a redelivery (-want +got):\n" + diff)
		}
	})
}

func TestAttemptsAreUsedUp(t *testing.T) {
	cfg := work.Config{Parking: work.Parking{Attempts: 5}}
	inLot(t, cfg, func(t *testing.T, db *sqldb.DB, take func(...work.Message[input])) {
		take(consumed("1", after{"a", "b", 1}), consumed("2", add{"a", 2}))
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"1 dead not_yet 5", "2 parked behind 0"}, letters(t, db)); diff != "" {
			t.Error("G7: letters (-want +got):\n" + diff)
		}
		take(consumed("3", add{"b", 1}))
		time.Sleep(time.Hour)
		if got := totals(t, db)["a"]; got != 0 {
			t.Errorf("G3: total %d although the head of the queue is dead", got)
		}
	})
}

func TestAPassingFaultIsDeadOnlyAfterItsTime(t *testing.T) {
	m := consumed("1", add{"a", 1})
	m.Input, m.Fault = nil, &work.Fault{Class: work.ClassUnknownSchema, Passing: true, Err: errFault}
	inLot(t, work.Config{}, func(t *testing.T, db *sqldb.DB, take func(...work.Message[input])) {
		take(m, consumed("2", add{"a", 2}))
		time.Sleep(time.Minute)
		if got := letters(t, db); len(got) != 2 || !strings.HasPrefix(got[0], "1 parked unknown_schema ") {
			t.Errorf("after a minute: %v", got)
		}
		time.Sleep(3 * time.Minute)
		if got := letters(t, db); len(got) != 2 || !strings.HasPrefix(got[0], "1 dead unknown_schema ") {
			t.Errorf("after four minutes: %v", got)
		}
	})
}

// TestADeadLetterKeepsItsBytesAndItsCopyGoesOut also has headers that are no text, and a key that can be none.
func TestADeadLetterKeepsItsBytesAndItsCopyGoesOut(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		hostile := []byte{0, 0xff, 'x', 0}
		garbage := consumed("1", add{"a", 1})
		garbage.Key, garbage.Input = "", nil
		garbage.Fault = &work.Fault{Class: work.ClassHeaders, Err: errors.New("bad \x00 \xff text")}
		garbage.Record = &work.Record{
			Topic: "source.events", Partition: 3, Offset: 42, Key: hostile, Value: hostile,
			Headers: []event.Header{{Key: "ce_type", Value: hostile}, {Key: "h\xff", Value: nil}},
		}
		big := consumed("2", reject{"b"})
		big.Record.Value = make([]byte, 2<<20)
		f.take(t, garbage, big, consumed("3", add{"", 1}))

		type stored struct {
			Key     []byte `db:"record_key"`
			Value   []byte `db:"record_value"`
			Headers string `db:"headers"`
			Offset  int64  `db:"record_offset"`
		}
		got := selectAll[stored](t, db, `SELECT record_key, record_value, headers, record_offset FROM letters ORDER BY seq`)
		if len(got) != 2 {
			t.Fatalf("G8: %d letters, want 2", len(got))
		}
		want := stored{hostile, hostile, `[["Y2VfdHlwZQ==","AP94AA=="],["aP8=",null]]`, 42}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Error("G8: the letter's bytes (-want +got):\n" + diff)
		}
		if len(got[1].Value) != 2<<20 {
			t.Errorf("G8: %d bytes of the large one are kept", len(got[1].Value))
		}

		type row struct {
			Key     string `db:"key"`
			Headers string `db:"headers"`
			Value   []byte `db:"value"`
		}
		copies := selectAll[row](t, db, `SELECT key, headers, value FROM outbox WHERE topic = 'toy.deadletter' ORDER BY seq`)
		if len(copies) != 2 || copies[0].Key != "" || copies[1].Key != "b" {
			t.Fatalf("copies %v", copies)
		}
		if diff := cmp.Diff(hostile, copies[0].Value); diff != "" {
			t.Error("the copy's value (-want +got):\n" + diff)
		}
		for i, wants := range [][]string{
			{`["dl_class","headers"]`, `["dl_offset","42"]`, `"dl_key"`, `["aP8=","","base64"]`},
			{`["dl_class","refused"]`, `["dl_value_size","2097152"]`, `"dl_value_sha256"`},
		} {
			for _, want := range wants {
				if text := copies[i].Headers; !strings.Contains(text, want) && want != `"dl_key"` {
					t.Errorf("copy %d has headers %s, want %s", i, text, want)
				}
			}
		}
		if copies[1].Value != nil {
			t.Errorf("a copy of %d bytes goes out", len(copies[1].Value))
		}
	})
}

func TestTheSameIDWithOtherBytesIsAContradiction(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		first, other := consumed("1", add{"a", 1}), withDigest(consumed("1", add{"a", 100}), 9)
		other.Record.Offset = 7
		f.take(t, first)
		for range 2 { // delivered twice, it is one letter
			f.take(t, other, consumed("2", add{"a", 2}))
		}
		got := letters(t, db)
		if len(got) != 2 || !strings.HasPrefix(got[0], "contradiction/0/7/") ||
			!strings.HasSuffix(got[0], " dead contradiction 1") || got[1] != "2 parked behind 0" {
			t.Errorf("G8: letters %v", got)
		}
		if got := totals(t, db)["a"]; got != 1 {
			t.Errorf("G2: total %d, want 1", got)
		}
	})
}

func TestATimerThatFailsIsParkedThenDeadThenRedriven(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		now := time.Unix(1_000_000, 0).UTC()
		f := newFixture(t, db, newToy(), work.Config{
			Clock: func() time.Time { return now }, Parking: work.Parking{Attempts: 2},
		})
		f.start(t)
		fire := func(in input) error {
			_, err := f.Do(t.Context(), work.TimerMessage("timeout/a", "a", now, in))
			return err
		}
		for i, want := range []error{errRejected, work.ErrParked, work.ErrParked} {
			if err := fire(reject{"a"}); !errors.Is(err, want) {
				t.Errorf("firing %d: %v, want %v", i, err, want)
			}
		}
		now = now.Add(time.Minute)
		for i, want := range []error{errRejected, work.ErrDead} {
			if err := fire(reject{"a"}); !errors.Is(err, want) {
				t.Errorf("firing %d after a minute: %v, want %v", i, err, want)
			}
		}
		if diff := cmp.Diff([]string{"timeout/a dead refused 2"}, letters(t, db)); diff != "" {
			t.Error("letters (-want +got):\n" + diff)
		}
		exec(t, db, `UPDATE inbox SET state = 'parked', attempts = 0 WHERE id = 'timeout/a'`)
		exec(t, db, `UPDATE letters SET retry_at = $1 WHERE id = 'timeout/a'`, now)
		if err := fire(add{"a", 1}); err != nil {
			t.Errorf("redriven: %v", err)
		}
		if err := fire(add{"a", 1}); err != nil || totals(t, db)["a"] != 1 || len(letters(t, db)) != 0 {
			t.Errorf("G2: fired again: %v, totals %v, letters %v", err, totals(t, db), letters(t, db))
		}
	})
}

func TestTheClaimsOfOneCallHaveOneLetter(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		now := time.Unix(1_000_000, 0).UTC()
		migrateToyTables(t, db)
		f := newFixture(t, db, newToy(), work.Config{
			Clock: func() time.Time { return now }, Parking: work.Parking{Attempts: 2},
		})
		f.start(t)
		ask(t, db, "a", "open", now)
		answer := func(c errand, in input) error {
			_, err := f.Do(t.Context(), work.AnswerMessage(c, "open", []byte("yes"), now, "", "", in))
			return err
		}
		for _, refusals := range []int{1, 2} {
			calls := claimErrands(t, db, now, 10)
			if len(calls) != 1 {
				t.Fatalf("%d calls are due, want 1", len(calls))
			}
			if err := answer(calls[0], reject{"a"}); !errors.Is(err, errRejected) {
				t.Errorf("answer %d: %v", refusals, err)
			}
			claimErrands(t, db, now, 0, work.Ended[errand]{Call: calls[0], Err: errRejected})
			now = now.Add(time.Hour)
		}
		if diff := cmp.Diff([]string{"call/a/open dead refused 2"}, letters(t, db)); diff != "" {
			t.Error("letters (-want +got):\n" + diff)
		}
		if calls := claimErrands(t, db, now, 10); len(calls) != 0 {
			t.Errorf("G6: %v is called although its letter is dead", calls)
		}
		exec(t, db, `UPDATE inbox SET state = 'parked', attempts = 0 WHERE id = 'call/a/open'`)
		exec(t, db, `UPDATE letters SET retry_at = $1`, now)
		calls := claimErrands(t, db, now, 10)
		if len(calls) != 1 {
			t.Fatalf("redriven: %d calls are due, want 1", len(calls))
		}
		for range 2 {
			if err := answer(calls[0], add{"a", 1}); err != nil {
				t.Errorf("redriven: %v", err)
			}
		}
		if got := letters(t, db); len(got) != 0 || totals(t, db)["a"] != 1 {
			t.Errorf("G2: letters %v, totals %v", got, totals(t, db))
		}
		for claim, state := range map[int64]string{8: "done", 9: "discarded"} {
			exec(t, db, `UPDATE inbox SET state = $1 WHERE id = 'call/a/open'`, state)
			if err := answer(errand{"a", "open", claim}, reject{"a"}); !errors.Is(err, errRejected) {
				t.Errorf("G8: refused again once its letter was %s: %v", state, err)
			}
			if diff := cmp.Diff([]string{"call/a/open parked refused 1"}, letters(t, db)); diff != "" {
				t.Errorf("G7: letters once it was %s (-want +got):\n%s", state, diff)
			}
		}
	})
}

// TestTwoReplicasRetryOneLetterOnce has both take the same letter out of its queue.
func TestTwoReplicasRetryOneLetterOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		first := withID(consumed("1", after{"a", "b", 1}))
		f.take(t, first, consumed("2", add{"b", 1}))
		replica := newFixture(t, db, newToy(), work.Config{})
		replica.start(t)
		m := withID(consumed("1", add{"a", 1}))
		done := make(chan error, 2)
		for _, u := range []*fixture{f, replica} {
			go func() { done <- u.Retry(t.Context(), []work.Retry[input]{{Message: m, Tried: 1}}) }()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := f.Retry(t.Context(), []work.Retry[input]{{Message: m, Tried: 1}}); err != nil {
			t.Error(err)
		}
		if got := totals(t, db)["a"]; got != 1 {
			t.Errorf("G2: total %d, want 1", got)
		}
	})
}

// TestAFreshEventNeverOvertakesItsQueue races a retry that drains a queue with fresh events of its key.
func TestAFreshEventNeverOvertakesItsQueue(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), work.Config{})
		f.start(t)
		known := make(map[string]work.Message[input])
		var all []work.Message[input]
		all = append(all, withID(consumed("0", after{"a", "b", 1})))
		for i := 1; i < 30; i++ {
			all = append(all, withID(consumed(fmt.Sprint(i), add{"a", 1 + int64(i)})))
		}
		for _, m := range all {
			known[m.ID] = m
		}
		f.take(t, all[:10]...)
		f.take(t, consumed("b", add{"b", 1}))
		exec(t, db, `UPDATE letters SET retry_at = $1 WHERE retry_at IS NOT NULL`, time.Unix(0, 0))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- lot(f, db, known).Run(ctx) }()
		for _, m := range all[10:] {
			f.take(t, m)
		}
		eventually(t, "the queue is empty", func() bool { return len(letters(t, db)) == 0 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		var want []int64
		for i := range all {
			want = append(want, 1+int64(i))
		}
		if diff := cmp.Diff(want, keysOf(t, db, "a")); diff != "" {
			t.Error("G3: events of the key, in order (-want +got):\n" + diff)
		}
	})
}

func migrateToyTables(t testing.TB, db *sqldb.DB) {
	t.Helper()
	err := errors.Join(
		sqldb.Migrate(t.Context(), db, outbox.Migrations(), "outbox"),
		sqldb.Migrate(t.Context(), db, toyMigration, "toy"),
	)
	if err != nil {
		t.Fatal(err)
	}
}
