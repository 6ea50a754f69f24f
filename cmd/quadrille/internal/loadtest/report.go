package loadtest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/quadrille-platform/quadrille/platform/load"
)

// Report is what `quadrille loadtest --json` prints.
type Report struct {
	Rate      int     `json:"rate"`    // asked for, orders a second
	Seconds   float64 `json:"seconds"` // from the first order to the last answer
	CutShort  bool    `json:"cut_short"`
	Sent      int     `json:"sent"`
	Unsent    int     `json:"unsent"` // due, but the platform did not keep up
	Accepted  int     `json:"accepted"`
	Refused   int     `json:"refused"`
	Completed int     `json:"completed"`
	// Refusals by what the answer said, and the first of them.
	Refusals     map[string]int `json:"refusals,omitempty"`
	FirstRefusal string         `json:"first_refusal,omitempty"`
	// Outcomes of the accepted orders: confirmed, cancelled with its reason, or how far a saga came that was not
	// completed.
	Outcomes map[string]int `json:"outcomes"`
	// MaxLateMS is by how much an order went out after it was due, at most.
	MaxLateMS float64 `json:"max_late_ms"`
	// Latency of what is accepted, decided and completed, from when an order was due.
	Latency map[string]Latency `json:"latency"`
}

// Latency in milliseconds.
type Latency struct {
	Count   int64    `json:"count"`
	P50     float64  `json:"p50_ms"`
	P90     float64  `json:"p90_ms"`
	P99     float64  `json:"p99_ms"`
	Max     float64  `json:"max_ms"`
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts what took at most so long, and longer than the bucket before.
type Bucket struct {
	UpTo  float64 `json:"up_to_ms"`
	Count int64   `json:"count"`
}

// latencies in the order in which an order passes them.
var latencies = []string{"accepted", "decided", "completed"}

func (c Command) report(took time.Duration, cutShort bool, counts load.Counts, t *tally) *Report {
	t.giveUp()
	r := &Report{
		Rate: c.Rate, Seconds: took.Seconds(), CutShort: cutShort,
		Sent: counts.Sent, Unsent: counts.Unsent, Accepted: counts.Accepted, Refused: counts.Refused,
		Completed: int(t.completedAfter.TotalCount()),
		Refusals:  counts.Refusals, Outcomes: t.outcomes, MaxLateMS: milliseconds(counts.MaxLate.Microseconds()),
		Latency: make(map[string]Latency),
	}
	if counts.Why != nil {
		r.FirstRefusal = counts.Why.Error()
	}
	for i, h := range []*hdrhistogram.Histogram{t.acceptedAfter, t.decidedAfter, t.completedAfter} {
		r.Latency[latencies[i]] = latency(h)
	}
	return r
}

// fault is nil if the platform has done all that was asked of it.
func (r *Report) fault() error {
	switch left := r.Accepted - r.Completed; {
	case r.Accepted == 0:
		return errors.New("no order was accepted")
	case r.Unsent > 0:
		return fmt.Errorf("%d orders were never sent: the platform did not keep up", r.Unsent)
	case left > 0 && !r.CutShort:
		return fmt.Errorf("%d of %d sagas were not completed in time", left, r.Accepted)
	}
	return nil
}

func (r *Report) print(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d orders sent in %.1f s, %d accepted, %d refused, %d completed\n",
		r.Sent, r.Seconds, r.Accepted, r.Refused, r.Completed)
	if r.CutShort {
		fmt.Fprintln(&b, "It was cut short.")
	}
	if r.Unsent > 0 {
		fmt.Fprintf(&b, "%d orders were never sent.\n", r.Unsent)
	}
	if r.MaxLateMS > milliseconds(behind.Microseconds()) {
		fmt.Fprintf(&b, "The platform did not keep up with %d orders a second: they went out up to %.0f ms late.\n",
			r.Rate, r.MaxLateMS)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, said := range slices.Sorted(maps.Keys(r.Refusals)) {
		fmt.Fprintf(w, "refused: %s\t%d\t\n", said, r.Refusals[said])
	}
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(w, "%s\t%d\t\n", outcome, r.Outcomes[outcome])
	}
	if r.FirstRefusal != "" {
		fmt.Fprintf(&b, "The first refusal: %s\n", r.FirstRefusal)
	}
	fmt.Fprintln(&b)
	_ = w.Flush() // to memory
	if r.Accepted > 0 {
		r.printLatency(&b)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

func (r *Report) printLatency(b *strings.Builder) {
	fmt.Fprintln(b, "\nLatency from when an order was due, ms")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tp50\tp90\tp99\tmax\t")
	for _, name := range latencies {
		l := r.Latency[name]
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t\n", name, l.P50, l.P90, l.P99, l.Max)
	}
	_ = w.Flush() // to memory
	const name, width = "decided", 50
	l := r.Latency[name]
	if l.Count == 0 {
		return
	}
	fmt.Fprintf(b, "\nOrders by latency to %s, ms\n", name)
	w = tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, bucket := range l.Buckets {
		bar := strings.Repeat("█", int(math.Ceil(float64(width*bucket.Count)/float64(l.Count))))
		fmt.Fprintf(w, "up to %g\t%d\t %s\n", bucket.UpTo, bucket.Count, bar)
	}
	_ = w.Flush() // to memory
}

func latency(h *hdrhistogram.Histogram) Latency {
	l := Latency{Count: h.TotalCount(), Buckets: []Bucket{}}
	if l.Count == 0 {
		return l
	}
	l.P50, l.P90 = milliseconds(h.ValueAtQuantile(50)), milliseconds(h.ValueAtQuantile(90))
	l.P99, l.Max = milliseconds(h.ValueAtQuantile(99)), milliseconds(h.Max())
	at := 0
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		for milliseconds(bar.From) > limit(at) {
			at++
		}
		if last := len(l.Buckets) - 1; last >= 0 && l.Buckets[last].UpTo == limit(at) {
			l.Buckets[last].Count += bar.Count
		} else {
			l.Buckets = append(l.Buckets, Bucket{limit(at), bar.Count})
		}
	}
	return l
}

// limit of the nth bucket, in milliseconds: 1, 2, 3, 5, 7, 10, 20, …
func limit(n int) float64 {
	digits := [...]float64{1, 2, 3, 5, 7}
	return digits[n%len(digits)] * math.Pow(10, float64(n/len(digits)))
}

func milliseconds(micros int64) float64 { return float64(micros) / 1000 }
