// Package store keeps the events of orders, the read table made of them, and the copy of the catalogue.
package store

import (
	"context"
	"embed"
	"io/fs"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations creates the tables of the service.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// streams are the events of orders. It holds nothing but statements.
var streams = eventstore.New(eventstore.Config[*order.Order]{
	Events: "order_events", Snapshots: "order_snapshots", Key: "order_id",
	Fold: eventstore.Fold[*order.Order]{
		Number: order.Fold, Apply: apply, Encode: order.EncodeState, Decode: order.DecodeState,
	},
})

// Streams are the events of orders.
func Streams() *eventstore.Store[*order.Order] { return streams }

// apply folds a stored event into o, nil if it is the first.
func apply(o *order.Order, stored eventstore.Event) (*order.Order, error) {
	e, err := order.Decode(stored.Type, []byte(stored.Data))
	if err != nil {
		return nil, err
	}
	if o == nil {
		o = &order.Order{ID: stored.Stream}
	}
	o.Apply(e)
	return o, nil
}

// orderOf returns the order that a stream folds into.
func orderOf(s eventstore.Stream[*order.Order]) *order.Order {
	s.State.Stored, s.State.Snapshot = s.Version, s.Snapshot
	return s.State
}

// tables of the read models, as they are for one transaction.
type tables struct{ Orders, Catalogue projection.Tables }

// find finds the tables for a reader.
func find(ctx context.Context, tx *sqldb.Tx) (tables, error) {
	return tablesOf(ctx, tx, projection.Find)
}

// share finds the tables for a writer: they stay what they are until its transaction ends.
func share(ctx context.Context, tx *sqldb.Tx) (tables, error) {
	return tablesOf(ctx, tx, projection.Share)
}

func tablesOf(ctx context.Context, tx *sqldb.Tx,
	find func(context.Context, *sqldb.Tx, ...projection.Model) ([]projection.Tables, error)) (tables, error) {
	found, err := find(ctx, tx, readmodel.Orders, readmodel.Catalogue)
	if err != nil {
		return tables{}, err
	}
	return tables{found[0], found[1]}, nil
}

// createdRow is an order's row before anything has changed.
type createdRow struct {
	readmodel.OrderRow
	CorrelationID string `db:"correlation_id"`
	Trace         string `db:"trace"`
	Placed        string `db:"placed"`
}

type orderKey struct {
	OrderID string `db:"order_id"`
}

type skuKey struct {
	SKU string `db:"sku"`
}
