package sqldb

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"
)

// holdCheck is the time between looks at whether the connection that holds a lock still stands.
const holdCheck = 2 * time.Second

// Hold tries to take the named lock of this database for one holder among all processes. Held is nil if another has
// it; otherwise it ends with ctx, or soon after the lock is lost, and release gives the lock back.
//
// The lock spares work that others do already. It is no fence: for some time after a lost connection there may be two
// holders. On SQLite, which has one process, it is always free.
func (db *DB) Hold(ctx context.Context, name string) (held context.Context, release func(), err error) {
	if db.dialect == SQLite {
		held, cancel := context.WithCancel(ctx)
		return held, cancel, nil
	}
	s, err := db.writers.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	key := int64(hash.Sum64())

	var taken bool
	if err := s.conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&taken); err != nil {
		db.writers.release(s, true)
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("take the lock %s: %w", name, err)
		}
		return nil, nil, &unavailableError{fmt.Errorf("take the lock %s: %w", name, err)}
	}
	if !taken {
		db.writers.release(s, false)
		return nil, nil, nil
	}

	held, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		ticker := time.NewTicker(holdCheck)
		defer ticker.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-ticker.C:
				if s.conn.PingContext(held) != nil {
					return
				}
			}
		}
	}()
	return held, func() {
		cancel()
		<-watched
		// Closing the connection frees the lock too, but only once the server has noticed.
		unlock, done := context.WithTimeout(context.WithoutCancel(ctx), holdCheck)
		defer done()
		_, err := s.conn.ExecContext(unlock, "SELECT pg_advisory_unlock($1)", key)
		db.writers.release(s, err != nil)
	}, nil
}
