package telemetry

import (
	"strings"
	"sync"
	"time"
)

const (
	// sayAgain is how long after a line of the log it is repeated first; each next pause is twice as long.
	sayAgain = 5 * time.Second
	// sayAgainMax is the longest of these pauses.
	sayAgainMax = time.Minute
	// remembered is how many failures are known that take turns.
	remembered = 8
)

// Repeats knows which failures of one thing were logged of late, so that the log neither falls silent nor fills. The
// zero value knows none. It is safe for concurrent use.
type Repeats struct {
	mu   sync.Mutex
	last []repeat // that which was said last is the last
}

// repeat is a failure that was logged.
type repeat struct {
	text  string
	at    time.Time
	pause time.Duration
}

// Due reports whether a failure is to be logged now: at once if it is another than the last few, then after 5 s and
// ever more rarely, once a minute at last. Digits do not make it another, for they are ports, ids and times.
func (r *Repeats) Due(failure string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, said := time.Now(), repeat{text: withoutDigits(failure), pause: sayAgain}
	for i, known := range r.last {
		if known.text != said.text {
			continue
		}
		if now.Sub(known.at) < known.pause {
			return false
		}
		said.pause = min(2*known.pause, sayAgainMax)
		r.last = append(r.last[:i], r.last[i+1:]...)
		break
	}
	if len(r.last) == remembered {
		r.last = r.last[1:]
	}
	said.at = now
	r.last = append(r.last, said)
	return true
}

func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
