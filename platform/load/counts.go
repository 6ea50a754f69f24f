package load

import (
	"maps"
	"time"
)

// Counts of a run so far.
type Counts struct {
	Sent, Accepted, Refused int
	// Unsent is what was due and never went out; zero while the load runs.
	Unsent int
	// Refusals by what the answer said, such as "503 Service Unavailable", or "no answer".
	Refusals map[string]int
	// Why is the first refusal.
	Why error
	// Waiting is the number of requests under way, Late by how much the last one went out after it was due, MaxLate the
	// most that ever was.
	Waiting       int
	Late, MaxLate time.Duration
}

// Counts returns those of the present run, or of the last.
func (l *Load) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := l.counts
	counts.Refusals = maps.Clone(l.counts.Refusals)
	return counts
}

func (l *Load) sent(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Sent++
	l.counts.Waiting++
	l.counts.Late, l.counts.MaxLate = late, max(late, l.counts.MaxLate)
}

func (l *Load) unsent(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Unsent = n
}
