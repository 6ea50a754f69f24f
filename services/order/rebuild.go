package order

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// rebuilder rebuilds the service's read models: the orders from their events, the catalogue from its topic.
func rebuilder(p *api.Parts) *projection.Rebuilder {
	return projection.NewRebuilder(p.DB, projection.Config{
		Models: []projection.Rebuildable{
			projection.Of(readmodel.Orders, projection.Streams[*order.Order]{Store: store.Streams()},
				readmodel.ProjectOrders, readmodel.UpsertOrders),
			projection.Of(readmodel.Catalogue, projection.Topic{
				Name: "product.events", Client: p.Kafka, Codec: p.Codec, Logger: p.Telemetry.Logger,
			}, readmodel.ProjectProducts(productOf), readmodel.UpsertProducts),
		},
		Clock: p.Config.Clock, Logger: p.Telemetry.Logger,
	})
}

// productOf is how a product's event is consumed. When it arrives makes no difference.
func productOf(e event.Event) (order.Message, bool) {
	m, wanted, err := kafka.Input(e, time.Time{})
	return m, wanted && err == nil
}
