package work_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// patience bounds every wait for a condition.
const patience = 20 * time.Second

type unit = work.Unit[input, book, happened]

// fixture is a unit of the toy on a database, not yet running.
type fixture struct {
	*unit
	toy    *toy
	reader *metric.ManualReader
}

func newFixture(t testing.TB, db *sqldb.DB, s *toy, cfg work.Config) *fixture {
	t.Helper()
	reader := metric.NewManualReader()
	metrics, err := work.NewMetrics(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Metrics, cfg.Logger = metrics, slog.New(slog.DiscardHandler)
	return &fixture{unit: work.New(s.service(), db, cfg), toy: s, reader: reader}
}

// start runs the unit until stop is called or the test ends.
func (f *fixture) start(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// running is a started unit of a fresh toy, on a database that is migrated for it.
func running(t testing.TB, db *sqldb.DB) *fixture {
	t.Helper()
	migrateToy(t, db)
	f := newFixture(t, db, newToy(), work.Config{})
	f.start(t)
	return f
}

// take returns the refusals by the place of their message.
func (f *fixture) take(t testing.TB, messages ...work.Message[input]) map[int]error {
	t.Helper()
	refusals, err := f.Take(t.Context(), messages)
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	refused := make(map[int]error)
	for _, r := range refusals {
		refused[r.Index] = r.Err
	}
	return refused
}

// count is the sum of a counter, or of a histogram how often it was recorded.
func (f *fixture) count(t testing.TB, name string) int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := f.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				return data.DataPoints[0].Value
			case metricdata.Histogram[int64]:
				return int64(data.DataPoints[0].Count)
			}
		}
	}
	return 0
}

// command is a message without a record, consumed an event with one.
func command(id string, in input) work.Message[input] {
	return work.Message[input]{
		Scope: "POST /toys", ID: id, Key: in.key(), Digest: [32]byte{1}, Status: 202,
		Cause: event.Cause{ID: id, Correlation: "all"}, Input: in,
	}
}

func consumed(id string, in input) work.Message[input] {
	m := command(id, in)
	m.Scope, m.Status, m.Record = "source.events", 0, &work.Record{Topic: "source.events", Key: []byte(m.Key)}
	return m
}

// totals reads every tally.
func totals(t testing.TB, db *sqldb.DB) map[string]int64 {
	t.Helper()
	got := make(map[string]int64)
	for _, row := range selectAll[tally](t, db, `SELECT key, total, sides, version, version AS stored FROM tallies`) {
		got[row.Key] = row.Total
	}
	return got
}

// letters reads what is parked, dead or discarded, in the order of their queues: id, state, class and attempts.
func letters(t testing.TB, db *sqldb.DB) []string {
	t.Helper()
	return selectAll[string](t, db, `
		SELECT l.id || ' ' || i.state || ' ' || l.class || ' ' || i.attempts
		FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id ORDER BY l.seq`)
}

// published reads the outbox in the order of its rows, but for the copies of dead letters.
func published(t testing.TB, db *sqldb.DB) []happened {
	t.Helper()
	var events []happened
	for _, value := range selectAll[[]byte](t, db, `SELECT value FROM outbox WHERE topic = 'toy.events' ORDER BY seq`) {
		var e happened
		if err := json.Unmarshal(value, &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func selectAll[T any](t testing.TB, db *sqldb.DB, query string, args ...any) (all []T) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		all, err = sqldb.Select[T](t.Context(), tx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func exec(t testing.TB, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until what holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s in vain until %s", patience, what)
		case <-look.C:
		}
	}
}
