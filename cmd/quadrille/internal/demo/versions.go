package demo

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

const placedName = "quadrille.order.OrderPlaced"

// schemaVersions: during a rolling upgrade of order an old process writes OrderPlaced in version 1, which has no sales
// channel, beside a new one. The step plays both, on a platform without order, and inventory and payment answer both
// alike.
func schemaVersions(s *scene) {
	tea := s.stockedWithoutOrder(10)
	versions := schemas.Golden()[placedName]
	if len(versions) < 2 {
		s.fail("OrderPlaced has %d versions", len(versions))
	}
	web := "web"
	old, current := s.publisher(versions[0].Schema), s.publisher(versions[1].Schema)
	placed := []*record{
		s.publish(old, &schemas.OrderPlaced{OrderID: event.NewID()}, tea),
		s.publish(current, &schemas.OrderPlaced{OrderID: event.NewID(), SalesChannel: &web}, tea),
		s.publish(old, &schemas.OrderPlaced{OrderID: event.NewID()}, tea),
	}
	if placed[0].Schema == placed[1].Schema || placed[0].Schema != placed[2].Schema {
		s.fail("the schema ids are %d, %d and %d", placed[0].Schema, placed[1].Schema, placed[2].Schema)
	}
	for _, p := range placed {
		s.until("both answers to an order of schema "+fmt.Sprint(p.Schema), func() error {
			return exactly(s.spoken(p.Key), []string{"OrderPlaced", "StockReserved", "PaymentAuthorized"})
		})
		held, err := s.Reservation(s.ctx, p.Key)
		s.check(err)
		if held.Status != "reserved" || len(held.Lines) != 1 || held.Lines[0] != (client.Line{SKU: tea, Quantity: 1}) {
			s.fail("inventory holds %+v for schema %d", held, p.Schema)
		}
	}
	l, err := s.Levels(s.ctx, tea)
	s.check(err)
	if l != (client.Levels{Available: 7, Reserved: 3}) {
		s.fail("stock is %+v", l)
	}
	s.saw("schema ids %d, %d, %d: all handled", placed[0].Schema, placed[1].Schema, placed[2].Schema)
}

// stockedWithoutOrder is stocked where no order service could hear of the product.
func (s *scene) stockedWithoutOrder(quantity int64) string {
	sku := "demo-" + s.step
	s.check(s.Supply(s.ctx, sku, price, quantity))
	return sku
}

// publisher returns the codec of a release whose OrderPlaced has the given schema, which is registered as that release
// would have been.
func (s *scene) publisher(schema string) *serde.Codec {
	registry, err := serde.NewClient("http://" + s.Registry)
	s.check(err)
	for _, t := range types() {
		if t.Name != placedName {
			continue
		}
		t.Schema = schema
		s.check(serde.Register(s.ctx, registry, []serde.Type{t}))
		codec, err := serde.New(s.ctx, registry, []serde.Type{t})
		s.check(err)
		return codec
	}
	s.fail("the contracts lack %s", placedName)
	return nil
}

// publish publishes OrderPlaced of one unit as order would, and returns what Kafka has of it.
func (s *scene) publish(codec *serde.Codec, p *schemas.OrderPlaced, sku string) *record {
	now := event.Now(time.Now)
	p.CustomerID, p.Email, p.PaymentMethod = "ada", "ada@example.com", "tok_visa"
	p.Total, p.Currency, p.PlacedAt = price.Amount, price.Currency, now
	p.Lines = []schemas.OrderLine{{SKU: sku, Quantity: 1, UnitPrice: price.Amount}}
	value, err := codec.Append(nil, p)
	s.check(err)
	r := &kgo.Record{
		Topic: saga[0], Key: []byte(p.OrderID), Value: value, Headers: s.envelope(p.OrderID, placedName),
	}
	s.check(s.tape.produce(s.ctx, r))
	seen, err := s.tape.await(s.ctx, p.OrderID, "OrderPlaced")
	s.check(err)
	if want := p.SalesChannel; channelOf(seen) != deref(want) {
		s.fail("schema %d carries the sales channel %q", seen.Schema, channelOf(seen))
	}
	return &seen
}

// channelOf an OrderPlaced; empty if it has none.
func channelOf(r record) string {
	if placed, ok := r.Data.(*schemas.OrderPlaced); ok {
		return deref(placed.SalesChannel)
	}
	return ""
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
