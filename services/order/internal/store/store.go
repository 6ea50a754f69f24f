// Package store keeps the events of orders, the read table made of them, and the copy of the catalogue.
package store

import (
	"embed"
	"io/fs"
	"time"

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

type eventRow struct {
	OrderID       string    `db:"order_id"`
	Version       int64     `db:"version"`
	Type          string    `db:"type"`
	Data          string    `db:"data"`
	EventID       string    `db:"event_id"`
	CausationID   string    `db:"causation_id"`
	CorrelationID string    `db:"correlation_id"`
	HappenedAt    time.Time `db:"happened_at"`
}

const eventColumns = `e.order_id, e.version, e.type, e.data, e.event_id, e.causation_id, e.correlation_id,
	e.happened_at`

type orderRow struct {
	OrderID       string       `db:"order_id"`
	CustomerID    string       `db:"customer_id"`
	Status        order.Status `db:"status"`
	PlacedAt      time.Time    `db:"placed_at"`
	Deadline      *time.Time   `db:"deadline"`
	Version       int64        `db:"version"`
	CorrelationID string       `db:"correlation_id"`
	Trace         string       `db:"trace"`
	Stored        int64        `db:"stored"`
}

func rowOf(o *order.Order) orderRow {
	row := orderRow{
		OrderID: o.ID, CustomerID: o.CustomerID, Status: o.Status, PlacedAt: o.PlacedAt,
		Version: o.Version, Stored: o.Stored,
	}
	if o.Status == order.StatusPending {
		row.Deadline = &o.Deadline
	}
	return row
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
