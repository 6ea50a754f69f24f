package loadtest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/platform/load"
)

func TestLatencyIsCountedInBuckets(t *testing.T) {
	h := newTally(&load.Watcher{}).decidedAfter
	for _, d := range []time.Duration{0, 300 * time.Microsecond, time.Millisecond, 1500 * time.Microsecond,
		6 * time.Millisecond, 9 * time.Millisecond, 9900 * time.Microsecond, 11 * time.Second, -time.Second, 2 * time.Hour} {
		record(h, d)
	}
	got := latency(h)
	want := []Bucket{{1, 4}, {2, 1}, {7, 1}, {10, 2}, {20_000, 1}, {5_000_000, 1}}
	if diff := cmp.Diff(want, got.Buckets); diff != "" || got.Count != 10 {
		t.Errorf("of %d (-want +got)\n%s", got.Count, diff)
	}
}

func TestQuantilesHaveThreeDigits(t *testing.T) {
	h := newTally(&load.Watcher{}).decidedAfter
	for n := 1; n <= 1000; n++ {
		record(h, time.Duration(n)*time.Millisecond)
	}
	l := latency(h)
	for name, figures := range map[string][2]float64{
		"p50": {l.P50, 500}, "p90": {l.P90, 900}, "p99": {l.P99, 990}, "max": {l.Max, 1000},
	} {
		if got, want := figures[0], figures[1]; got < want*.999 || got > want*1.001 {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
}

func report() *Report {
	t := newTally(&load.Watcher{})
	for n := range 4 {
		record(t.acceptedAfter, time.Duration(n)*time.Millisecond)
		record(t.decidedAfter, time.Duration(10*n)*time.Millisecond)
		record(t.completedAfter, 20*time.Duration(n)*time.Millisecond)
	}
	t.outcomes["confirmed"], t.outcomes["cancelled: payment_declined"] = 3, 1
	r := (Command{Rate: 6}).report(time.Second, false, load.Counts{
		Sent: 6, Accepted: 4, Refused: 2, Refusals: map[string]int{"503 Service Unavailable": 2},
		Why: errors.New("503 Service Unavailable: later"), MaxLate: 2 * time.Second,
	}, t)
	return r
}

func TestTheReport(t *testing.T) {
	const want = `6 orders sent in 1.0 s, 4 accepted, 2 refused, 4 completed
The platform did not keep up with 6 orders a second: they went out up to 2000 ms late.
The first refusal: 503 Service Unavailable: later

  refused: 503 Service Unavailable  2
       cancelled: payment_declined  1
                         confirmed  3

Latency from when an order was due, ms
              p50   p90   p99   max
   accepted   1.0   3.0   3.0   3.0
    decided  10.0  30.0  30.0  30.0
  completed  20.0  60.0  60.0  60.0

Orders by latency to decided, ms
   up to 1  1 █████████████
  up to 10  1 █████████████
  up to 20  1 █████████████
  up to 30  1 █████████████
`
	var out bytes.Buffer
	if err := report().print(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestALoadFailsIfTheWorkWasNotDone(t *testing.T) {
	tests := map[string]struct {
		change func(*Report)
		says   string
	}{
		"all is done":           {func(*Report) {}, ""},
		"nothing was accepted":  {func(r *Report) { r.Accepted, r.Completed = 0, 0 }, "no order was accepted"},
		"an order was not sent": {func(r *Report) { r.Unsent = 2 }, "2 orders were never sent: the platform did not keep up"},
		"a saga is not done":    {func(r *Report) { r.Completed = 3 }, "1 of 4 sagas were not completed in time"},
		"nobody waited for one": {func(r *Report) { r.Completed, r.CutShort = 3, true }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := report()
			test.change(r)
			said := ""
			if err := r.fault(); err != nil {
				said = err.Error()
			}
			if said != test.says {
				t.Errorf("said %q, want %q", said, test.says)
			}
		})
	}
}

func TestProgressIsALineASecond(t *testing.T) {
	tally := newTally(&load.Watcher{})
	counts := load.Counts{Sent: 9, Accepted: 8, Refused: 1, Waiting: 3}
	late := counts
	late.Late = 4123 * time.Millisecond
	var plain, terminal strings.Builder
	for _, p := range []*progress{plainly(&plain), inPlace(&terminal)} {
		p.tell(250*time.Millisecond, counts, tally)
		p.tell(1250*time.Millisecond, counts, tally)
		p.tell(1750*time.Millisecond, counts, tally)
		p.tell(2*time.Second, late, tally)
		p.end()
	}
	const (
		first = "   1s  sent 9  accepted 8  refused 1  decided 0  completed 0  waiting for an answer 3"
		then  = "   2s  sent 9  accepted 8  refused 1  decided 0  completed 0  waiting for an answer 3" +
			"  the platform does not keep up: orders go out 4.1s late"
	)
	if want := first + "\n" + then + "\n"; plain.String() != want {
		t.Errorf("plainly: %q", plain.String())
	}
	if want := "\r\x1b[K" + first + "\r\x1b[K" + then + "\n"; terminal.String() != want {
		t.Errorf("on a terminal: %q", terminal.String())
	}
}
