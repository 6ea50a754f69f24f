package work_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

var errAway = errors.New("connection refused")

// outside is one that may be away. Its methods are those of CallsConfig.
type outside struct {
	t      *testing.T
	reader *metric.ManualReader
	mu     sync.Mutex
	fault  error // nil: it answers
	made   []time.Time
	done   int
	lines  []string
}

func newOutside(t *testing.T) *outside { return &outside{t: t, reader: metric.NewManualReader()} }

func (o *outside) calls(l *leases, limit int) *work.Calls[call, input] {
	o.t.Helper()
	metrics, err := work.NewCallsMetrics(metric.NewMeterProvider(metric.WithReader(o.reader)).Meter("test"))
	if err != nil {
		o.t.Fatal(err)
	}
	return work.NewCalls(work.CallsConfig[call, input]{
		Outside: "toys", Claim: l.claim, Limit: limit, Perform: o.perform, Metrics: metrics,
		Away:   func(err error) bool { return errors.Is(err, errAway) },
		Logger: slog.New(told{slog.DiscardHandler, o}),
		Do:     func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
	})
}

func (o *outside) perform(_ context.Context, c call) (work.Message[input], error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made = append(o.made, time.Now())
	if o.fault != nil {
		return work.Message[input]{}, o.fault
	}
	o.done++
	return answerTo(c), nil
}

func (o *outside) turn(fault error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = fault
}

// since returns how many calls were made, and how many answered, since a time.
func (o *outside) since(t time.Time) (made, done int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, at := range o.made {
		if !at.Before(t) {
			made++
		}
	}
	return made, o.done
}

// state of the breaker, as the gauge shows it.
func (o *outside) state() int64 {
	o.t.Helper()
	var all metricdata.ResourceMetrics
	if err := o.reader.Collect(o.t.Context(), &all); err != nil {
		o.t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if gauge, ok := m.Data.(metricdata.Gauge[int64]); ok {
				if of, _ := gauge.DataPoints[0].Attributes.Value("outside"); of != attribute.StringValue("toys") {
					o.t.Errorf("the gauge is that of %q", of.AsString())
				}
				return gauge.DataPoints[0].Value
			}
		}
	}
	o.t.Fatal("there is no gauge")
	return 0
}

// told keeps what is logged.
type told struct {
	slog.Handler
	of *outside
}

func (t told) Enabled(context.Context, slog.Level) bool { return true }

func (t told) Handle(_ context.Context, r slog.Record) error {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.of.lines = append(t.of.lines, r.Message)
	return nil
}

// TestAnOutsideThatIsAwayIsNotCalled has a backlog and an outage of an hour. Meanwhile hardly a call is made or leased;
// when it is back, all go out within seconds.
func TestAnOutsideThatIsAwayIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const backlog, limit, away = 1_000, 16, time.Hour
		o, l := newOutside(t), newLeases()
		for i := range backlog {
			l.due[fmt.Sprint(i)] = 0
		}
		o.turn(errAway)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- o.calls(l, limit).Run(ctx) }()

		<-time.After(time.Minute)
		if state := o.state(); state == 0 {
			t.Error("the breaker is closed")
		}
		if len(o.lines) > 3 {
			t.Errorf("%d lines were logged: %q", len(o.lines), o.lines)
		}
		began := time.Now()
		<-time.After(away)
		made, _ := o.since(began)
		if most := int(away / (2 * time.Second)); made > most || made < most/2 {
			t.Errorf("%d calls were made while it was away, want about one every 2 s", made)
		}
		var claims int64
		l.mu.Lock()
		for _, n := range l.due {
			claims += n
		}
		l.mu.Unlock()
		if made, _ := o.since(time.Time{}); claims > int64(made)+8*limit {
			t.Errorf("%d leases were spent on %d calls", claims, made)
		}

		o.turn(nil)
		<-time.After(5 * time.Second)
		if _, done := o.since(time.Time{}); done != backlog {
			t.Errorf("%d of %d were answered within 5 s of its return", done, backlog)
		}
		if state := o.state(); state != 0 {
			t.Errorf("the breaker's state is %d, want closed", state)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		log := slices.DeleteFunc(o.lines, func(line string) bool {
			return line == "outside calls not done, they are made again"
		})
		if diff := cmp.Diff([]string{"outside is away, calls wait", "outside answers again"}, log); diff != "" {
			t.Error("log (-want +got):\n" + diff)
		}
	})
}

// TestCallsThatGetNoAnswerAreNoOutage: a card that is never answered says nothing of the others.
func TestCallsThatGetNoAnswerAreNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutside(t), newLeases()
		for i := range 100 {
			l.due[fmt.Sprint(i)] = 0
		}
		o.turn(errNoAnswer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := o.calls(l, 64).Run(ctx); err != nil {
			t.Error(err)
		}
		if made, _ := o.since(time.Time{}); made < 1_000 || o.state() != 0 {
			t.Errorf("%d calls were made, the breaker's state is %d", made, o.state())
		}
	})
}

// TestWhatFindsOutMayFindNothingDue: a turn that no call takes is not lost.
func TestWhatFindsOutMayFindNothingDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l := newOutside(t), newLeases()
		for i := range 10 {
			l.due[fmt.Sprint(i)] = 0
		}
		o.turn(errAway)
		ctx, cancel := context.WithCancel(t.Context())
		calls, ended := o.calls(l, 1), make(chan error, 1)
		go func() { ended <- calls.Run(ctx) }()
		<-time.After(time.Second)
		l.mu.Lock()
		clear(l.due)
		l.mu.Unlock()
		<-time.After(time.Minute)
		l.mu.Lock()
		l.due["late"] = 0
		l.mu.Unlock()
		o.turn(nil)
		<-time.After(time.Second)
		if _, done := o.since(time.Time{}); done != 1 || o.state() != 0 {
			t.Errorf("%d were answered, want 1; the breaker's state is %d", done, o.state())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestACallThatWasNotMadeIsNoAttempt gives leases back: the pause after the next failure is that of a first attempt, and
// there is none before it.
func TestACallThatWasNotMadeIsNoAttempt(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		ask(t, db, "a", "ask", second(1))
		now := second(10)
		made := one(t, claimErrands(t, db, now, 1))
		for range 10 {
			none(t, claimErrands(t, db, now, 1, work.Ended[errand]{Call: made, Err: work.ErrNotBegun}))
			made = one(t, claimErrands(t, db, now, 1))
		}
		if made.Claim != 11 {
			t.Errorf("claim %d, want 11", made.Claim)
		}
		none(t, claimErrands(t, db, now, 1, failed(made)))
		one(t, claimErrands(t, db, now.Add(100*time.Millisecond), 1))
	})
}
