// Package store keeps products, reservations and movements in the service's database.
package store

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
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

type productRow struct {
	SKU         string     `db:"sku"`
	Name        string     `db:"name"`
	Price       int64      `db:"price"`
	Currency    string     `db:"currency"`
	Available   int64      `db:"available"`
	Reserved    int64      `db:"reserved"`
	Sold        int64      `db:"sold"`
	Version     int64      `db:"version"`
	Published   int64      `db:"published"`
	UpdatedAt   time.Time  `db:"updated_at"`
	RepublishAt *time.Time `db:"republish_at"`
	Stored      int64      `db:"stored"`
}

const productColumns = `p.sku, p.name, p.price, p.currency, p.available, p.reserved, p.sold, p.version, p.published,
	p.updated_at, p.republish_at, p.version AS stored`

func (r productRow) product() *stock.Product {
	p := &stock.Product{
		SKU: r.SKU, Name: r.Name, Price: r.Price, Currency: r.Currency,
		Available: r.Available, Reserved: r.Reserved, Sold: r.Sold,
		Version: r.Version, Stored: r.Stored, Published: r.Published, UpdatedAt: r.UpdatedAt,
	}
	if r.RepublishAt != nil {
		p.RepublishAt = *r.RepublishAt
	}
	return p
}

func rowOfProduct(p *stock.Product) productRow {
	r := productRow{
		SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: p.Currency,
		Available: p.Available, Reserved: p.Reserved, Sold: p.Sold,
		Version: p.Version, Stored: p.Stored, Published: p.Published, UpdatedAt: p.UpdatedAt,
	}
	if !p.RepublishAt.IsZero() {
		r.RepublishAt = &p.RepublishAt
	}
	return r
}

type reservationRow struct {
	OrderID   string       `db:"order_id"`
	Status    stock.Status `db:"status"`
	Lines     string       `db:"lines"`
	Placed    bool         `db:"placed"`
	Confirmed bool         `db:"confirmed"`
	Cancelled bool         `db:"cancelled"`
	Version   int64        `db:"version"`
	UpdatedAt time.Time    `db:"updated_at"`
	Stored    int64        `db:"stored"`
}

const reservationColumns = `r.order_id, r.status, r.lines, r.placed, r.confirmed, r.cancelled, r.version, r.updated_at,
	r.version AS stored`

type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func (r reservationRow) reservation() (*stock.Reservation, error) {
	var lines []line
	if err := json.Unmarshal([]byte(r.Lines), &lines); err != nil {
		return nil, fmt.Errorf("lines of reservation %s: %w", r.OrderID, err)
	}
	reservation := &stock.Reservation{
		OrderID: r.OrderID, Status: r.Status, Placed: r.Placed, Confirmed: r.Confirmed, Cancelled: r.Cancelled,
		Version: r.Version, Stored: r.Stored, UpdatedAt: r.UpdatedAt,
	}
	for _, l := range lines {
		reservation.Lines = append(reservation.Lines, stock.Line{SKU: l.SKU, Quantity: l.Quantity})
	}
	return reservation, nil
}

func rowOfReservation(r *stock.Reservation) (reservationRow, error) {
	lines := make([]line, len(r.Lines))
	for i, l := range r.Lines {
		lines[i] = line{SKU: l.SKU, Quantity: l.Quantity}
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return reservationRow{}, fmt.Errorf("lines of reservation %s: %w", r.OrderID, err)
	}
	return reservationRow{
		OrderID: r.OrderID, Status: r.Status, Lines: string(text),
		Placed: r.Placed, Confirmed: r.Confirmed, Cancelled: r.Cancelled,
		Version: r.Version, Stored: r.Stored, UpdatedAt: r.UpdatedAt,
	}, nil
}
