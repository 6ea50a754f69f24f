package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// ErrStale says that another process holds the relay's lock, but rows wait for too long. That one is stuck, or is a
// host that has gone and whose session PostgreSQL still believes in.
var ErrStale = errors.New("the relay's lock is held by another process, and the oldest row waits for too long")

// standbyLook is the least time between two looks at the table by a relay that does not hold the lock.
const standbyLook = 5 * time.Second

// standbyWithin bounds a look, so that the next attempt at the lock does not wait for a database that is away.
const standbyWithin = 2 * time.Second

// standby watches over the holder of the lock while this relay waits for it.
type standby struct {
	db    *sqldb.DB
	after time.Duration

	mu     sync.Mutex
	looked time.Time
	err    error
}

// watch looks whether the holder keeps up, at most once every standbyLook.
func (s *standby) watch(ctx context.Context) {
	s.mu.Lock()
	due := time.Since(s.looked) >= standbyLook
	if due {
		s.looked = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, standbyWithin)
	defer cancel()
	_, oldest, err := Depth(ctx, s.db)
	if err != nil {
		return // it is known no better than before
	}
	var stale error
	if age := ageOf(oldest); age > s.after {
		stale = fmt.Errorf("%w: %s, more than %s", ErrStale, age.Round(time.Second), s.after)
	}
	s.set(stale)
}

// over ends the watch: the lock is ours, or nothing is known of its holder.
func (s *standby) over() { s.set(nil) }

func (s *standby) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *standby) stale() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
