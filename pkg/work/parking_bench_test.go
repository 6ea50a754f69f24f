package work_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// BenchmarkOthersWhileAKeyIsParked measures what the events of other keys pay, in events of others a second: none is
// parked; one key is, with a thousand events behind it, and is tried again every second, which is the shortest pause by
// default; and beside it each hundredth event is one more for its queue.
func BenchmarkOthersWhileAKeyIsParked(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, batch := range []int{100, 500} {
			for _, tc := range []struct {
				name           string
				queued, behind int
			}{{"none", 0, 0}, {"parked", 1000, 0}, {"parked+more", 1000, batch / 100}} {
				b.Run(fmt.Sprintf("%s/batch=%d/%s", database, batch, tc.name), func(b *testing.B) {
					open := sqltest.SQLiteURL
					if database == "postgres" {
						open = sqltest.PostgresURL
					}
					others(b, sqltest.Open(b, open(b)), batch, tc.queued, tc.behind)
				})
			}
		}
	}
}

func others(b *testing.B, db *sqldb.DB, batch, queued, behind int) {
	migrateToy(b, db)
	f := newFixture(b, db, newToy(), work.Config{
		Parking: work.Parking{FirstPause: time.Second, MaxPause: time.Second, Attempts: 1 << 40},
	})
	f.start(b)
	known := make(map[string]work.Message[input])
	var n int
	next := func(in input) work.Message[input] {
		n++
		m := withID(consumed(fmt.Sprint(n), in))
		if in.key() == "parked" {
			known[m.ID] = m
		}
		return m
	}
	if queued > 0 {
		first := []work.Message[input]{next(after{"parked", "never", 1})}
		for range queued {
			first = append(first, next(add{"parked", 1}))
		}
		f.take(b, first...)
	}
	all := make(map[string]work.Message[input]) // not shared with what is being added
	for id, m := range known {
		all[id] = m
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- lot(f, db, all).Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()

	handled := 0
	for b.Loop() {
		b.StopTimer()
		messages := make([]work.Message[input], 0, batch+behind)
		for i := range batch {
			messages = append(messages, next(add{fmt.Sprintf("key-%d-%d", n/900, i), 0}))
		}
		for range behind {
			messages = append(messages, next(add{"parked", 1}))
		}
		b.StartTimer()
		f.take(b, messages...)
		handled += batch
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(handled)/b.Elapsed().Seconds(), "events/s")
}
