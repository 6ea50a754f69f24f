package loadtest

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/quadrille-platform/quadrille/platform/load"
)

// tally of what became of the orders. It is one goroutine's.
type tally struct {
	watcher *load.Watcher
	open    []load.Accepted // whose saga has not completed
	decided int             // of the open ones

	outcomes                                    map[string]int
	acceptedAfter, decidedAfter, completedAfter *hdrhistogram.Histogram
}

func newTally(w *load.Watcher) *tally {
	// Microseconds, up to an hour, to three digits.
	latency := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, time.Hour.Microseconds(), 3) }
	return &tally{
		watcher: w, outcomes: make(map[string]int),
		acceptedAfter: latency(), decidedAfter: latency(), completedAfter: latency(),
	}
}

// collect takes orders that were accepted and looks which of all have completed.
func (t *tally) collect(accepted []load.Accepted) {
	for _, a := range accepted {
		record(t.acceptedAfter, a.Answered.Sub(a.Due))
	}
	t.open = append(t.open, accepted...)
	t.decided = 0
	left := t.open[:0]
	for i, saga := range t.watcher.Find(t.open) {
		order := t.open[i]
		if saga.Completed().IsZero() {
			left = append(left, order)
			if !saga.Decided().IsZero() {
				t.decided++
			}
			continue
		}
		record(t.decidedAfter, saga.Decided().Sub(order.Due))
		record(t.completedAfter, saga.Completed().Sub(order.Due))
		t.outcomes[saga.Outcome()]++
		t.watcher.Forget(order.ID)
	}
	t.open = left
}

// giveUp counts the sagas that have not completed by how far they came.
func (t *tally) giveUp() {
	for i, saga := range t.watcher.Find(t.open) {
		if decided := saga.Decided(); !decided.IsZero() {
			record(t.decidedAfter, decided.Sub(t.open[i].Due))
		}
		t.outcomes[saga.Outcome()+", not completed"]++
	}
}

// record bounds what is out of range: a clock that differs makes latencies negative.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 0), h.HighestTrackableValue())) // in range
}
