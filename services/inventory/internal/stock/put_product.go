package stock

import (
	"strings"
	"time"
)

// PutProduct creates a product or changes its name and price. Putting it as it is changes nothing.
type PutProduct struct {
	SKU, Name string
	// Price of one unit, in minor units of Currency.
	Price    int64
	Currency string
	At       time.Time
	// RepublishAfter is how long after this change the product is published once more; 0 for never.
	RepublishAfter time.Duration
}

// Needs names the product.
func (m PutProduct) Needs() Needs { return Needs{SKUs: []string{m.SKU}} }

// Decide leads to ProductUpdated.
func (m PutProduct) Decide(s *Stock) ([]Event, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	p := Product{SKU: m.SKU}
	if known := s.Products[m.SKU]; known != nil {
		p = *known
	}
	if p.Version > 0 && p.Name == m.Name && p.Price == m.Price && p.Currency == m.Currency {
		return nil, nil
	}
	p.Name, p.Price, p.Currency = m.Name, m.Price, m.Currency
	updated := p.publish(m.At)
	p.RepublishAt = time.Time{}
	if m.RepublishAfter > 0 {
		p.RepublishAt = p.UpdatedAt.Add(m.RepublishAfter)
	}
	s.keepProduct(p)
	return []Event{updated}, nil
}

func (m PutProduct) check() error {
	if err := checkText("sku", m.SKU, MaxSKU); err != nil {
		return err
	}
	if err := checkText("name", m.Name, MaxName); err != nil {
		return err
	}
	if m.Price < 1 || m.Price > MaxPrice {
		return &Refusal{CodeOutOfRange, "price"}
	}
	if len(m.Currency) != 3 || strings.Trim(m.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return &Refusal{CodeMalformed, "currency"}
	}
	return checkTime(m.At)
}
