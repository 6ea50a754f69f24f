// Package inventory is the service that owns products, stock levels and reservations. It holds stock for placed orders,
// sells it when they are confirmed and gives it back when they are cancelled.
package inventory

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/api"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/store"
)

// Name of the service, of its consumer group and of its database.
const Name = "inventory"

// Config of the service.
type Config struct {
	service.Config
	// RepublishAfter is how long after its last change a product is published once more, so that compaction cannot
	// keep a late duplicate of an older state. Defaults to 5 minutes, which 0 stands for too; negative for never.
	RepublishAfter time.Duration `env:"REPUBLISH_AFTER" envDefault:"5m"`
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	c.Config = c.Config.WithDefaults("127.0.0.1:8082", "127.0.0.1:9082", "sqlite:data/inventory.db")
	if c.RepublishAfter == 0 {
		c.RepublishAfter = 5 * time.Minute
	}
	return c
}

// Run runs the service until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.WithDefaults()
	return service.Run(ctx, cfg.Config, Definition(cfg))
}

// Definition is the service's table of contents.
func Definition(cfg Config) service.Definition[stock.Message, *stock.Stock, stock.Event] {
	return service.Definition[stock.Message, *stock.Stock, stock.Event]{
		Name:       Name,
		Title:      "Inventory",
		Migrations: store.Migrations(),
		Publishes:  service.Owned(schemas.Records(), Name),
		Consumes:   service.Types(schemas.Records(), "OrderPlaced", "OrderConfirmed", "OrderCancelled"),
		Load:       store.Load,
		Save:       store.Save,
		Publish:    kafka.Publish,
		Input:      kafka.Input,
		Due:        store.Due,
		Routes:     func(a huma.API, p *api.Parts) { api.Register(a, p, cfg.RepublishAfter) },
	}
}
