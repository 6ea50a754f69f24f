package order

import "strings"

// Product is the local copy of what inventory publishes, enough to price an order.
type Product struct {
	SKU, Name string
	// Price of one unit, in minor units of Currency (ISO 4217).
	Price    int64
	Currency string
	// Version is inventory's. A newer one replaces an older one, never the other way round.
	Version int64
	// Withdrawn is true after a tombstone. The entry stays, so that a late duplicate cannot revive it.
	Withdrawn bool
	// Changed is true if the entry has to be saved. It is not stored.
	Changed bool
}

// ProductUpdated is the whole state of a product as inventory published it.
type ProductUpdated struct {
	SKU, Name string
	Price     int64
	Currency  string
	Version   int64
}

// Needs names the product.
func (m ProductUpdated) Needs() Needs { return Needs{SKUs: []string{m.SKU}} }

// Decide leads to no event.
func (m ProductUpdated) Decide(b *Book) ([]Event, error) {
	if err := checkProduct(m.SKU, m.Version); err != nil {
		return nil, err
	}
	if m.Price < 1 {
		return nil, refuse(CodeOutOfRange, "price")
	}
	if len(m.Currency) != 3 || strings.Trim(m.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, refuse(CodeMalformed, "currency")
	}
	if known, ok := b.Catalogue[m.SKU]; !ok || known.Version < m.Version {
		b.keepProduct(Product{
			SKU: m.SKU, Name: m.Name, Price: m.Price, Currency: m.Currency, Version: m.Version, Changed: true,
		})
	}
	return nil, nil
}

// ProductWithdrawn is a product's tombstone: it can no longer be ordered.
type ProductWithdrawn struct {
	SKU     string
	Version int64
}

// Needs names the product.
func (m ProductWithdrawn) Needs() Needs { return Needs{SKUs: []string{m.SKU}} }

// Decide leads to no event. The name and price last known stay.
func (m ProductWithdrawn) Decide(b *Book) ([]Event, error) {
	if err := checkProduct(m.SKU, m.Version); err != nil {
		return nil, err
	}
	p, ok := b.Catalogue[m.SKU]
	if ok && p.Version >= m.Version {
		return nil, nil
	}
	p.SKU, p.Version, p.Withdrawn, p.Changed = m.SKU, m.Version, true, true
	b.keepProduct(p)
	return nil, nil
}

func checkProduct(sku string, version int64) error {
	if code := checkText(sku, MaxText); code != "" {
		return refuse(code, "sku")
	}
	if version < 1 {
		return refuse(CodeOutOfRange, "version")
	}
	return nil
}
