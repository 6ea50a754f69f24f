package work_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Few open queues are read one by one, many as they are asked about: every one of them holds its followers back, and
// nothing else is held back.
func TestEveryOpenQueueHoldsItsFollowersBack(t *testing.T) {
	for _, queues := range []int{1, 3, 64, 65, 80} {
		t.Run(fmt.Sprint(queues), func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				f := running(t, db)
				var heads, followers []work.Message[input]
				for n := range queues {
					key := fmt.Sprintf("queue-%02d", n)
					m := withID(consumed(fmt.Sprint("head-", n), reject{key}))
					later := withID(consumed(fmt.Sprint("later-", n), add{key, 1}))
					if n%2 == 1 {
						m.Scope, later.Scope = "other.events", "other.events"
					}
					heads, followers = append(heads, m), append(followers, later)
				}
				f.take(t, heads...)
				free := withID(consumed("free", add{"queue", 1}))
				refused := f.take(t, append(followers, free)...)
				if len(refused) != queues || refused[queues] != nil {
					t.Errorf("G3: %d of %d were refused, the free one with %v", len(refused), queues, refused[queues])
				}
				for n, err := range refused {
					if !errors.Is(err, work.ErrBehind) {
						t.Errorf("G3: message %d: %v, want it behind", n, err)
					}
				}
			})
		})
	}
}
