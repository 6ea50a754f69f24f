package readmodel

import (
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// ProductRow is a product.
type ProductRow struct {
	SKU       string `db:"sku"`
	Name      string `db:"name"`
	Price     int64  `db:"price"`
	Currency  string `db:"currency"`
	Version   int64  `db:"version"`
	Withdrawn bool   `db:"withdrawn"`
}

// ProductColumns are those of a catalogue p.
const ProductColumns = `p.sku, p.name, p.price, p.currency, p.version, p.withdrawn`

// Product returns the product of the row.
func (r ProductRow) Product() order.Product {
	return order.Product{
		SKU: r.SKU, Name: r.Name, Price: r.Price, Currency: r.Currency, Version: r.Version, Withdrawn: r.Withdrawn,
	}
}

// ChangedProducts returns the rows of products that have to be saved.
func ChangedProducts(catalogue map[string]order.Product) []ProductRow {
	var rows []ProductRow
	for _, p := range catalogue {
		if p.Changed {
			rows = append(rows, ProductRow{
				SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: p.Currency,
				Version: p.Version, Withdrawn: p.Withdrawn,
			})
		}
	}
	slices.SortFunc(rows, func(a, b ProductRow) int { return strings.Compare(a.SKU, b.SKU) })
	return rows
}

// ProjectProducts makes the row of each product that the events are about, as translate translates them for the
// domain. An event that the domain refuses is left out, as it is when it is consumed.
func ProjectProducts(translate func(event.Event) (order.Message, bool)) func([]event.Event) ([]ProductRow, error) {
	return func(events []event.Event) ([]ProductRow, error) {
		book := &order.Book{}
		for _, e := range events {
			if m, wanted := translate(e); wanted {
				_, _ = m.Decide(book) // leads to no event, and changes nothing after an error
			}
		}
		return ChangedProducts(book.Catalogue), nil
	}
}

// UpsertProducts writes whole rows, each unless a newer one stands in the table. A product that is withdrawn by
// one who never knew its price, which is 0 then, keeps price and name of the row that it replaces.
func UpsertProducts(into string) string {
	return strings.ReplaceAll(`
		INSERT INTO {into} (sku, name, price, currency, version, withdrawn)
		SELECT sku, name, price, currency, version, withdrawn FROM rows WHERE true ORDER BY sku
		ON CONFLICT (sku) DO UPDATE SET
			name = CASE WHEN excluded.withdrawn AND excluded.price = 0 THEN {into}.name ELSE excluded.name END,
			price = CASE WHEN excluded.withdrawn AND excluded.price = 0 THEN {into}.price ELSE excluded.price END,
			currency = CASE WHEN excluded.withdrawn AND excluded.price = 0 THEN {into}.currency
				ELSE excluded.currency END,
			version = excluded.version, withdrawn = excluded.withdrawn
		WHERE {into}.version < excluded.version`, "{into}", into)
}
