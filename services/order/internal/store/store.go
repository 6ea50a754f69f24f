// Package store keeps the events of orders, the read table made of them, and the copy of the catalogue.
package store

import (
	"embed"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
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

// changedRow is the part of an order's row that changes.
type changedRow struct {
	OrderID  string       `db:"order_id"`
	Status   order.Status `db:"status"`
	Deadline *time.Time   `db:"deadline"`
	Version  int64        `db:"version"`
	Progress string       `db:"progress"`
	Fold     int64        `db:"progress_fold"`
	Stored   int64        `db:"stored"`
}

type createdRow struct {
	changedRow
	CustomerID    string    `db:"customer_id"`
	PlacedAt      time.Time `db:"placed_at"`
	CorrelationID string    `db:"correlation_id"`
	Trace         string    `db:"trace"`
	Placed        string    `db:"placed"`
}

func rowOf(o *order.Order) (changedRow, error) {
	progress, err := order.EncodeProgress(o)
	if err != nil {
		return changedRow{}, err
	}
	row := changedRow{
		OrderID: o.ID, Status: o.Status, Version: o.Version, Progress: string(progress), Fold: order.Fold,
		Stored: o.Stored,
	}
	if o.Status == order.StatusPending {
		row.Deadline = &o.Deadline
	}
	return row, nil
}

type productRow struct {
	SKU       string `db:"sku"`
	Name      string `db:"name"`
	Price     int64  `db:"price"`
	Currency  string `db:"currency"`
	Version   int64  `db:"version"`
	Withdrawn bool   `db:"withdrawn"`
}

const productColumns = `p.sku, p.name, p.price, p.currency, p.version, p.withdrawn`

func (r productRow) product() order.Product {
	return order.Product{
		SKU: r.SKU, Name: r.Name, Price: r.Price, Currency: r.Currency, Version: r.Version, Withdrawn: r.Withdrawn,
	}
}

type orderKey struct {
	OrderID string `db:"order_id"`
}

type skuKey struct {
	SKU string `db:"sku"`
}
