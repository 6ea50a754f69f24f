package work

import (
	"log/slog"
	"sync"
	"time"
)

// maxHold bounds how long the next claim waits while no call succeeds.
const maxHold = 5 * time.Second

// pace keeps calls from hammering an outside that is away, and the log from saying so of each.
type pace struct {
	mu     sync.Mutex
	failed int // calls since one succeeded
	untold int // of all that failed
	err    error
	told   time.Time
}

func (p *pace) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = 0
}

func (p *pace) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed++
	p.untold++
	p.err = err
}

// hold is how long after a claim the next one begins at the soonest. It grows by every with each limit calls that
// failed one after another: a single one that is tried again and again holds back no other.
func (p *pace) hold(every time.Duration, limit int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(every*time.Duration(p.failed)/time.Duration(limit), maxHold)
}

// tell logs the calls that failed, unless it last did so less than every ago.
func (p *pace) tell(logger *slog.Logger, every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.untold == 0 || time.Since(p.told) < every {
		return
	}
	logger.Warn("outside calls not done, they are made again", "calls", p.untold, "error", p.err)
	p.untold, p.err, p.told = 0, nil, time.Now()
}
