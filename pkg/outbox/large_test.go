package outbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestATopicMayTakeLargerRecordsThanTheOthers(t *testing.T) {
	const limit = 2000
	big := strings.Repeat("B", 2*limit)
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		insert(t, db, "a.events", "x", big)
		insert(t, db, "b.events", "x", big)
		cfg := quick(b)
		cfg.MaxRecordBytes, cfg.MaxRecordBytesOf = limit, map[string]int{"a.events": 10 * limit}
		relay := NewRelay(db, cfg)
		defer start(t, relay)()
		eventually(t, "one lane goes on, the other stands still", func() bool {
			return depth(t, db) == 1 && errors.Is(relay.Err(), ErrTooLarge)
		})
		if got := b.firsts(t, "a.events")["x"]; len(got) != 1 || got[0] != big {
			t.Errorf("published %d records", len(got))
		}
	})
}
