package stock

import "time"

// Limits of a product.
const (
	// MaxLevel bounds what there is of one sku over all levels: the largest integer that every JSON reader keeps.
	MaxLevel = 1<<53 - 1
	// MaxPrice is in minor units.
	MaxPrice = 1_000_000_000_000
	// MaxSKU and MaxName are in bytes.
	MaxSKU  = 64
	MaxName = 200
)

// Product is something for sale, and its stock levels.
type Product struct {
	SKU, Name string
	// Price of one unit, in minor units of Currency (ISO 4217).
	Price    int64
	Currency string

	// Available can be reserved, Reserved is held for pending orders, Sold belongs to confirmed ones.
	Available, Reserved, Sold int64

	// Version rises by one with every change, each movement between the levels too. Stored is the one in the
	// database, 0 if none.
	Version, Stored int64
	// Published is the version that the last ProductUpdated carried.
	Published int64
	UpdatedAt time.Time
	// RepublishAt is when the product has to be published once more, zero if it need not be. See Republish.
	RepublishAt time.Time
}

// change raises the version at the given time or, if that is later, at the time of the last change.
func (p *Product) change(at time.Time) {
	p.Version++
	p.UpdatedAt = later(at, p.UpdatedAt)
}

// publish is a change that tells the world the whole state.
func (p *Product) publish(at time.Time) ProductUpdated {
	p.change(at)
	p.Published = p.Version
	return ProductUpdated{
		SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: p.Currency, Version: p.Version, At: p.UpdatedAt,
	}
}
