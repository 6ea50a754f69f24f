package work_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// noon is when every letter of these tests arrives, a minute after the one before it.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// kept is a letter as the unit of work writes one.
type kept struct {
	scope, id, key string
	state          work.LetterState
	attempts       int64
	kind           string
	class          work.Class
	record         *work.Record
}

// office is Letters over a database in which letters were written, their seq from 1.
type office struct {
	*work.Letters
	db     *sqldb.DB
	reader *metric.ManualReader
}

func newOffice(t *testing.T, db *sqldb.DB, letters ...kept) *office {
	t.Helper()
	migrateToy(t, db)
	o := &office{db: db, reader: metric.NewManualReader()}
	var err error
	o.Letters, err = work.NewLetters(db, work.LettersConfig{
		Clock: func() time.Time { return noon.Add(time.Hour) }, Logger: slog.New(slog.DiscardHandler),
		Meter: metric.NewMeterProvider(metric.WithReader(o.reader)).Meter("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range letters {
		o.keep(t, k, noon.Add(time.Duration(i)*time.Minute))
	}
	return o
}

func (o *office) keep(t *testing.T, k kept, at time.Time) {
	t.Helper()
	exec(t, o.db, `INSERT INTO inbox (scope, id, state, digest, status, resource, handled_at, attempts)
		VALUES ($1, $2, $3, $4, 0, $5, $6, $7)`, k.scope, k.id, string(k.state), []byte{1}, k.key, at, k.attempts)
	queue := &k.key
	if k.scope == work.ScopeTimer || k.scope == work.ScopeCall || k.key == "" {
		queue = nil
	}
	var failed *time.Time
	if k.attempts > 0 {
		failed = &at
	}
	var partition, offset *int64
	var key, value []byte
	var headers *string
	if r := k.record; r != nil {
		p, text := int64(r.Partition), encoded(t, r.Headers)
		partition, offset, key, value, headers = &p, &r.Offset, r.Key, r.Value, &text
	}
	exec(t, o.db, `INSERT INTO letters (scope, id, key, type, partition_id, record_offset, record_key, record_value,
			headers, class, error, arrived_at, first_failed, last_failed, retry_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'for people', $11, $12, $12, NULL)`, k.scope, k.id, queue, k.kind,
		partition, offset, key, value, headers, k.class, at, failed)
}

func encoded(t *testing.T, headers []event.Header) string {
	t.Helper()
	pairs := [][2]*string{}
	for _, h := range headers {
		name, value := base64.StdEncoding.EncodeToString([]byte(h.Key)), base64.StdEncoding.EncodeToString(h.Value)
		pairs = append(pairs, [2]*string{&name, &value})
	}
	text, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dead and parked are letters of source.events.
func dead(id, key string) kept {
	return kept{scope: "source.events", id: id, key: key, state: work.LetterDead, attempts: 1, class: "refused", kind: "test.Sold"}
}

func parked(id, key string) kept {
	k := dead(id, key)
	k.state, k.attempts, k.class = work.LetterParked, 0, "behind"
	return k
}

// states of all letters, oldest first: the first character of each.
func (o *office) states(t *testing.T) string {
	t.Helper()
	text := ""
	for _, state := range selectAll[string](t, o.db,
		`SELECT i.state FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id ORDER BY l.seq`) {
		text += map[string]string{"parked": "p", "dead": "d", "discarded": "x", "done": "o"}[state]
	}
	return text
}

func TestOnlyWhatMayMoveIsMoved(t *testing.T) {
	letters := []kept{
		dead("a1", "a"), parked("a2", "a"), dead("a3", "a"), parked("b1", "b"),
		{scope: work.ScopeTimer, id: "t1", key: "a", state: work.LetterDead, attempts: 3, class: "timer"},
		{scope: work.ScopeTimer, id: "t2", key: "a", state: work.LetterDead, attempts: 3, class: "timer"},
		{scope: "source.events", id: "c1", key: "c", state: work.LetterDiscarded, attempts: 1, class: "refused"},
		dead("c2", "c"), dead("no key", ""), dead("none either", ""),
	}
	const before = "dpdpddxddd"
	tests := map[string]struct {
		action  func(*work.Letters, context.Context, int64, string, string) error
		seq     int64
		refused error
		after   string
	}{
		"a dead head is redriven":                   {(*work.Letters).Redrive, 1, nil, "ppdpddxddd"},
		"a dead head is discarded":                  {(*work.Letters).Discard, 1, nil, "xpdpddxddd"},
		"a parked head is discarded":                {(*work.Letters).Discard, 4, nil, "dpdxddxddd"},
		"a parked head is not redriven":             {(*work.Letters).Redrive, 4, work.ErrMoved, before},
		"a follower is not redriven":                {(*work.Letters).Redrive, 3, work.ErrNotHead, before},
		"a follower is not discarded":               {(*work.Letters).Discard, 2, work.ErrNotHead, before},
		"a timer waits for nobody":                  {(*work.Letters).Redrive, 6, nil, "dpdpdpxddd"},
		"a discarded letter is not redriven":        {(*work.Letters).Redrive, 7, work.ErrMoved, before},
		"a discarded letter is not discarded again": {(*work.Letters).Discard, 7, work.ErrMoved, before},
		"behind a discarded one is the head":        {(*work.Letters).Redrive, 8, nil, "dpdpddxpdd"},
		"what has no key waits for nobody":          {(*work.Letters).Discard, 10, nil, "dpdpddxddx"},
		"what is not there is not moved":            {(*work.Letters).Discard, 99, work.ErrNoLetter, before},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				o := newOffice(t, db, letters...)
				err := test.action(o.Letters, t.Context(), test.seq, "ada", "because")
				if !errors.Is(err, test.refused) {
					t.Fatalf("error %v, want %v", err, test.refused)
				}
				if got := o.states(t); got != test.after {
					t.Errorf("states %s, want %s", got, test.after)
				}
				rulings := selectAll[string](t, db, `SELECT operator || ' ' || action || ' ' || reason FROM rulings`)
				if (test.refused == nil) != (len(rulings) == 1) {
					t.Errorf("rulings %v", rulings)
				}
			})
		})
	}
}

func TestBehindADiscardedLetterTheNextIsDue(t *testing.T) {
	due := func(o *office) (due []int64) {
		return selectAll[int64](t, o.db, `SELECT seq FROM letters WHERE retry_at IS NOT NULL ORDER BY seq`)
	}
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := newOffice(t, db, dead("a1", "a"), dead("b1", "b"), parked("a2", "a"), parked("a3", "a"), dead("b2", "b"), dead("c1", ""))
		if err := o.Discard(t.Context(), 1, "ada", "because"); err != nil {
			t.Fatal(err)
		}
		if got := due(o); !slices.Equal(got, []int64{3}) {
			t.Errorf("due is %v, want the new head", got)
		}
		if _, err := o.DiscardAll(t.Context(), work.LetterFilter{}, 0, 3, "ada", "because"); err != nil {
			t.Fatal(err)
		}
		if got, states := due(o), o.states(t); !slices.Equal(got, nil) || states != "xxxxdd" {
			t.Errorf("due is %v, states %s: a dead head is not due", got, states)
		}
	})
}

func TestARedrivenLetterIsDueAndBeginsAnew(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		k := dead("a1", "a")
		k.attempts = 7
		o := newOffice(t, db, k)
		if err := o.Redrive(t.Context(), 1, "ada", "the product is there now"); err != nil {
			t.Fatal(err)
		}
		got, err := o.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		now := noon.Add(time.Hour)
		want := work.Ruling{Action: work.ActionRedrive, Operator: "ada", Reason: "the product is there now", At: now}
		if got.Attempts != 0 || got.FirstFailed != nil || got.RetryAt == nil || !got.RetryAt.Equal(now) || !slices.Equal(got.Rulings, []work.Ruling{want}) {
			t.Errorf("attempts %d, due %v, rulings %v", got.Attempts, got.RetryAt, got.Rulings)
		}
	})
}

// What the unit of work moves between an operator's look and word is not moved by the operator.
func TestAnOperatorDoesNotMoveWhatHasJustChanged(t *testing.T) {
	for name, change := range map[string]string{
		"handled":     `UPDATE inbox SET state = 'done'`,
		"tried again": `UPDATE inbox SET attempts = attempts + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			o := newOffice(t, db, parked("a1", "a"))
			// The row is locked until the operator waits for it.
			moved := make(chan error, 1)
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				if _, err := tx.Exec(t.Context(), change); err != nil {
					return err
				}
				go func() { moved <- o.Discard(t.Context(), 1, "ada", "because") }()
				eventually(t, "the operator waits", func() bool {
					return len(selectAll[int64](t, db, `SELECT 1 FROM pg_locks WHERE NOT granted`)) > 0
				})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-moved; !errors.Is(err, work.ErrMoved) {
				t.Errorf("error %v, want %v", err, work.ErrMoved)
			}
			if n := len(selectAll[string](t, db, `SELECT operator FROM rulings`)); n > 0 {
				t.Errorf("%d rulings", n)
			}
		})
	}
}

func TestLettersAreFiltered(t *testing.T) {
	letters := []kept{
		dead("1", "a"), parked("2", "a"), {scope: "other.events", id: "3", key: "a", state: work.LetterDiscarded, class: "headers"},
		{scope: work.ScopeCall, id: "4", key: "b", state: work.LetterDead, attempts: 2, class: "call"},
		{scope: "other.events", id: "5", key: "c", state: work.LetterDead, attempts: 1, class: "undecodable", kind: "test.Resold"},
	}
	tests := map[string]struct {
		filter work.LetterFilter
		want   []int64
	}{
		"what is open":                   {work.LetterFilter{}, []int64{1, 2, 4, 5}},
		"by state":                       {work.LetterFilter{State: work.LetterDiscarded}, []int64{3}},
		"by scope":                       {work.LetterFilter{Scope: "other.events"}, []int64{5}},
		"by key":                         {work.LetterFilter{Key: "a"}, []int64{1, 2}},
		"by full type":                   {work.LetterFilter{Type: "test.Sold"}, []int64{1, 2}},
		"by the last part of its type":   {work.LetterFilter{Type: "Sold"}, []int64{1, 2}},
		"a type is no pattern":           {work.LetterFilter{Type: "%old"}, nil},
		"a type is longer than any":      {work.LetterFilter{Type: "some.very.long.name.of.a.Type"}, nil},
		"by class":                       {work.LetterFilter{Class: "call"}, []int64{4}},
		"by age, of what waits too":      {work.LetterFilter{Before: noon.Add(2 * time.Minute)}, []int64{1, 2}},
		"by all of it":                   {work.LetterFilter{State: "dead", Scope: "call", Key: "b", Class: "call"}, []int64{4}},
		"nothing is what nothing fits":   {work.LetterFilter{State: "dead", Scope: "call", Key: "a"}, nil},
		"what was done is no letter now": {work.LetterFilter{State: "done"}, nil},
	}
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		o := newOffice(t, db, letters...)
		for name, test := range tests {
			var got []int64
			for after := int64(0); ; {
				page, err := o.List(t.Context(), test.filter, after, 1)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if len(page) == 0 {
					break
				}
				after = page[0].Seq
				got = append(got, after)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
		}
	})
}

func TestALetterIsOpenedToTheByte(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first := dead("a1", "a")
		first.record = &work.Record{
			Topic: "source.events", Partition: 3, Offset: 1 << 40, Key: []byte("a"), Value: []byte{0, 0xff, '\'', 0},
			Headers: []event.Header{{Key: "ce_id", Value: []byte("a1")}, {Key: "\xff", Value: []byte{0}}, {Key: "ce_id", Value: []byte{}}},
		}
		o := newOffice(t, db, first, parked("b1", "b"), parked("a2", "a"), parked("a3", "a"))
		got, err := o.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.record, got.Record); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		if !got.Head || got.Waiting != 2 || len(got.Behind) != 2 || got.Behind[0].ID != "a2" || got.Behind[0].Head {
			t.Errorf("head %t, behind it %d: %+v", got.Head, got.Waiting, got.Behind)
		}
		if got, err := o.Open(t.Context(), 2); err != nil || got.Record != nil || got.FirstFailed != nil || got.Waiting != 0 {
			t.Errorf("one without a record: %+v, %v", got, err)
		}
	})
}

func TestASweepMovesWhatFitsAndNoMore(t *testing.T) {
	other := parked("a3", "a")
	other.class = "not_yet"
	letters := []kept{dead("a1", "a"), parked("a2", "a"), other, parked("a4", "a"), dead("b1", "b"), dead("b2", "b"), dead("c1", "c")}
	tests := map[string]struct {
		sweep        func(*work.Letters, context.Context, work.LetterFilter, int64, int, string, string) (work.Sweep, error)
		filter       work.LetterFilter
		after        int64
		limit        int
		states       string
		moved, left  int64
		wantedCursor int64
	}{
		"heads are redriven":                   {(*work.Letters).RedriveAll, work.LetterFilter{}, 0, 10, "ppppp" + "dp", 3, 1, 7},
		"as many as asked for":                 {(*work.Letters).RedriveAll, work.LetterFilter{}, 0, 1, "pppp" + "ddd", 1, 3, 1},
		"going on behind the last":             {(*work.Letters).RedriveAll, work.LetterFilter{}, 1, 1, "dppp" + "pdd", 1, 3, 5},
		"none is only counted":                 {(*work.Letters).RedriveAll, work.LetterFilter{Key: "b"}, 0, 0, "dpppddd", 0, 2, 0},
		"whole queues are discarded":           {(*work.Letters).DiscardAll, work.LetterFilter{}, 0, 10, "xxxxxxx", 7, 0, 7},
		"a queue up to what does not fit":      {(*work.Letters).DiscardAll, work.LetterFilter{Class: "behind"}, 0, 10, "dpppddd", 0, 2, 0},
		"what waits behind it stays":           {(*work.Letters).DiscardAll, work.LetterFilter{State: work.LetterDead}, 0, 10, "xpppxxx", 4, 0, 7},
		"a queue is cut where the limit is":    {(*work.Letters).DiscardAll, work.LetterFilter{Key: "a"}, 0, 2, "xxppddd", 2, 2, 2},
		"what is before the cursor is no head": {(*work.Letters).DiscardAll, work.LetterFilter{Key: "a"}, 1, 2, "dpppddd", 0, 4, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				o := newOffice(t, db, letters...)
				got, err := test.sweep(o.Letters, t.Context(), test.filter, test.after, test.limit, "ada", "all of it")
				if err != nil {
					t.Fatal(err)
				}
				want := work.Sweep{Moved: test.moved, Left: test.left, Last: test.wantedCursor}
				if states := o.states(t); got != want || states != test.states {
					t.Errorf("%+v, want %+v; states %s, want %s", got, want, states, test.states)
				}
				if n := len(selectAll[string](t, db, `SELECT operator FROM rulings`)); n != int(test.moved) {
					t.Errorf("%d rulings", n)
				}
			})
		})
	}
}

// A sweep that loses a race chooses anew.
func TestASweepGoesOnWhenTheServiceIsFaster(t *testing.T) {
	db := sqltest.Postgres(t)
	o := newOffice(t, db, parked("a1", "a"), parked("b1", "b"))
	swept := make(chan work.Sweep, 1)
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(t.Context(), `UPDATE inbox SET state = 'done' WHERE id = 'a1'`); err != nil {
			return err
		}
		go func() {
			s, err := o.DiscardAll(t.Context(), work.LetterFilter{}, 0, 10, "ada", "because")
			if err != nil {
				t.Error(err)
			}
			swept <- s
		}()
		eventually(t, "the operator waits", func() bool {
			return len(selectAll[int64](t, db, `SELECT 1 FROM pg_locks WHERE NOT granted`)) > 0
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, states := <-swept, o.states(t); s.Moved != 1 || states != "ox" {
		t.Errorf("moved %d, states %s", s.Moved, states)
	}
}

func TestOpenLettersAreMeasured(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		later := parked("b1", "b")
		later.class = "not_yet"
		o := newOffice(t, db, dead("a1", "a"), parked("a2", "a"), later,
			kept{scope: "source.events", id: "x", key: "x", state: work.LetterDiscarded, class: "refused"})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- o.Observe(ctx) }()
		got := make(map[string]float64)
		eventually(t, "the gauges are there", func() bool {
			clear(got)
			var all metricdata.ResourceMetrics
			if err := o.reader.Collect(t.Context(), &all); err != nil {
				t.Fatal(err)
			}
			for _, scope := range all.ScopeMetrics {
				for _, m := range scope.Metrics {
					switch data := m.Data.(type) {
					case metricdata.Gauge[int64]:
						for _, p := range data.DataPoints {
							got[m.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = float64(p.Value)
						}
					case metricdata.Gauge[float64]:
						for _, p := range data.DataPoints {
							got[m.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
						}
					}
				}
			}
			return len(got) > 0
		})
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want := map[string]float64{
			"quadrille.letters.open class=refused,scope=source.events,state=dead":   1,
			"quadrille.letters.open class=behind,scope=source.events,state=parked":  1,
			"quadrille.letters.open class=not_yet,scope=source.events,state=parked": 1,
			"quadrille.letters.oldest.age state=dead":                               3600,
			"quadrille.letters.oldest.age state=parked":                             3540,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("gauges (-want +got):\n%s", diff)
		}
	})
}
