package stock

import "time"

// Restock adds to what is available.
type Restock struct {
	SKU      string
	Quantity int64
	At       time.Time
}

// Needs names the product.
func (m Restock) Needs() Needs { return Needs{SKUs: []string{m.SKU}} }

// Decide leads to Restocked. It refuses what would lift the sum of all levels above MaxLevel, so that no later
// movement between levels can overflow.
func (m Restock) Decide(s *Stock) ([]Event, error) {
	if m.SKU == "" {
		return nil, &Refusal{CodeMissing, "sku"}
	}
	if m.Quantity < 1 || m.Quantity > MaxLevel {
		return nil, &Refusal{CodeOutOfRange, "quantity"}
	}
	if err := checkTime(m.At); err != nil {
		return nil, err
	}
	p := s.Products[m.SKU]
	if p == nil {
		return nil, ErrUnknownProduct
	}
	if m.Quantity > MaxLevel-p.Available-p.Reserved-p.Sold {
		return nil, &Refusal{CodeOutOfRange, "quantity"}
	}
	p.Available += m.Quantity
	p.change(m.At)
	return []Event{Restocked{SKU: p.SKU, Version: p.Version, At: p.UpdatedAt, Quantity: m.Quantity}}, nil
}
