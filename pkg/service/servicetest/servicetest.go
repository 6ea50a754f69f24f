// Package servicetest tests and measures a service by its own Definition.
//
// Conform holds it to what every service must keep. Benchmark measures its handlers behind the unit of work, on SQLite
// and on a PostgreSQL that waits for the disk, at several batch sizes, and beside it the same statements in a plain
// loop.
package servicetest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Metric is the unit of what Benchmark reports.
const Metric = "events/s"

// Batches are the sizes that Benchmark measures.
var Batches = []int{1, 10, 100, 500}

// plainBatch is the size at which the plain loop is measured too.
const plainBatch = 500

// Scenario is what a service has to handle while it is measured.
type Scenario[I any] struct {
	// Stage fills a fresh database, untimed. Nil: nothing.
	Stage func(d *Driver[I])
	// Round hands in a few thousand messages. It is called until the benchmark's time is over, with a number that
	// rises.
	Round func(d *Driver[I], round int)
}

// Benchmark measures s on each database and batch size as sub-benchmarks DATABASE/batch=N/unit, and at the largest
// batch DATABASE/batch=500/plain. Registry answers the schema registry's HTTP requests.
func Benchmark[I work.Input[S, E], S, E any](b *testing.B, registry http.Handler, def service.Definition[I, S, E],
	s Scenario[I]) {
	codec := Codec(b, registry, append(append([]serde.Type{}, def.Publishes...), def.Consumes...))
	svc := work.Service[I, S, E]{
		Name: def.Name, Load: def.Load, Save: def.Save, Publish: def.Publish, Encode: Encoder(codec),
	}
	for _, name := range []string{"sqlite", "postgres"} {
		for _, batch := range Batches {
			b.Run(fmt.Sprintf("%s/batch=%d/unit", name, batch), func(b *testing.B) {
				db := Database(b, name, def.Migrations)
				measure(b, &Driver[I]{b: b, DB: db, batch: batch, input: def.Input, take: unit(b, db, svc)}, s)
			})
		}
		b.Run(fmt.Sprintf("%s/batch=%d/plain", name, plainBatch), func(b *testing.B) {
			db := Database(b, name, def.Migrations)
			measure(b, &Driver[I]{b: b, DB: db, batch: plainBatch, input: def.Input, take: plain(db, svc)}, s)
		})
	}
}

func measure[I any](b *testing.B, d *Driver[I], s Scenario[I]) {
	d.Untimed(func() {
		if s.Stage != nil {
			s.Stage(d)
		}
	})
	d.timed, d.elapsed = 0, 0
	for round := 0; b.Loop(); round++ {
		s.Round(d, round)
	}
	b.ReportMetric(0, "ns/op") // a round is no measure
	b.ReportMetric(float64(d.timed)/d.elapsed.Seconds(), Metric)
}

// Driver hands messages to what is measured.
type Driver[I any] struct {
	// DB is the database of the service.
	DB *sqldb.DB

	b       *testing.B
	batch   int
	input   func(event.Event, time.Time) (I, bool, error)
	take    func(messages []work.Message[I]) error
	untimed bool
	timed   int
	elapsed time.Duration
}

// Untimed runs fn, which prepares what follows, outside the measurement and in the largest batches.
func (d *Driver[I]) Untimed(fn func()) {
	d.b.Helper()
	d.b.StopTimer()
	d.untimed = true
	fn()
	d.untimed = false
	d.b.StartTimer()
}

// Take hands in messages in their order, in batches.
func (d *Driver[I]) Take(messages []work.Message[I]) {
	d.b.Helper()
	size := d.batch
	if d.untimed {
		size = plainBatch
	}
	started := time.Now()
	for rest := messages; len(rest) > 0; {
		n := min(size, len(rest))
		if err := d.take(rest[:n:n]); err != nil {
			d.b.Fatal(err)
		}
		rest = rest[n:]
	}
	if !d.untimed {
		d.elapsed += time.Since(started)
		d.timed += len(messages)
	}
}
