// Package order is the service that owns orders. It takes them, follows what inventory and payment answer, and confirms
// or cancels them; it tells nobody what to do, only what has happened.
package order

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// Name of the service, of its consumer group and of its database.
const Name = "order"

// Config of the service.
type Config struct {
	service.Config
	// Timeout is how long an order may stay pending before it is cancelled. Defaults to 2 minutes.
	Timeout time.Duration `env:"ORDER_TIMEOUT" envDefault:"2m"`
	// SnapshotEvery is how many events an order's history grows between two snapshots. Defaults to 100.
	SnapshotEvery int64 `env:"ORDER_SNAPSHOT_EVERY" envDefault:"100"`
	// StuckAfter is how long an order may wait for the other services before it counts as stuck. Defaults to 10
	// minutes.
	StuckAfter time.Duration `env:"ORDER_STUCK_AFTER" envDefault:"10m"`
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	c.Config = c.Config.WithDefaults("127.0.0.1:8081", "127.0.0.1:9081", "sqlite:data/order.db")
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = eventstore.DefaultEvery
	}
	if c.StuckAfter == 0 {
		c.StuckAfter = 10 * time.Minute
	}
	return c
}

// Run runs the service until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.WithDefaults()
	if cfg.Timeout < 0 || cfg.Timeout > order.MaxTimeout {
		return fmt.Errorf("QUADRILLE_ORDER_TIMEOUT is %s; it must be between 0 and %s", cfg.Timeout, order.MaxTimeout)
	}
	if cfg.SnapshotEvery < 1 {
		return fmt.Errorf("QUADRILLE_ORDER_SNAPSHOT_EVERY is %d; it must be at least 1", cfg.SnapshotEvery)
	}
	if cfg.StuckAfter < 0 {
		return fmt.Errorf("QUADRILLE_ORDER_STUCK_AFTER is %s; it must not be negative", cfg.StuckAfter)
	}
	return service.Run(ctx, cfg.Config, Definition(cfg))
}

// Definition is the service's table of contents.
func Definition(cfg Config) service.Definition[order.Message, *order.Book, order.Event] {
	waiters, pace := api.NewWaiters(), &pace{}
	return service.Definition[order.Message, *order.Book, order.Event]{
		Name:       Name,
		Title:      "Orders",
		Migrations: store.Migrations(),
		Publishes:  service.Owned(schemas.Records(), Name),
		Consumes: service.Types(schemas.Records(),
			"StockReserved", "StockReservationFailed", "StockCommitted", "StockReleased",
			"PaymentAuthorized", "PaymentDeclined", "PaymentCaptured", "PaymentCaptureFailed", "PaymentVoided",
			"PaymentRefunded",
			"ProductUpdated"),
		Unlogged: map[string]bool{"product.events": true},
		Load:     pace.loads(store.Load),
		Save:     store.Saver{SnapshotEvery: cfg.SnapshotEvery}.Save,
		Publish:  kafka.Publish,
		Input:    kafka.Input,
		Due:      store.Due,
		Routes: func(a huma.API, p *api.Parts) {
			p.Unit.OnCommit(waiters.Committed)
			api.Register(a, p, waiters, cfg.Timeout)
		},
		Admin: func(a huma.API, p *api.Parts) { api.RegisterAdmin(a, p, rebuilder(p), cfg.StuckAfter) },
		Background: func(p *api.Parts) []func(context.Context) error {
			return []func(context.Context) error{
				func(ctx context.Context) error { return waiters.Run(ctx, p.DB) },
				func(ctx context.Context) error { return store.KeepRefreshed(ctx, p.DB, p.Telemetry.Logger) },
				rebuilder(p).Run,
				func(ctx context.Context) error { return observeSagas(ctx, p, cfg.StuckAfter) },
				pace.watch(p),
			}
		},
	}
}
