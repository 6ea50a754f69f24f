package stock

import "time"

// Republish is due when RepublishAt of a product has passed. It publishes the product once more under a new version,
// because compaction keeps the last record of a key, and that might be a late duplicate of an older state, from a relay
// that was dying when the product changed.
type Republish struct {
	SKU string
	// Version is Published of the product for which the timer was set.
	Version int64
	At      time.Time
}

// Needs names the product.
func (m Republish) Needs() Needs { return Needs{SKUs: []string{m.SKU}} }

// Decide leads to ProductUpdated, or to nothing if the product was published since.
func (m Republish) Decide(s *Stock) ([]Event, error) {
	if err := checkTime(m.At); err != nil {
		return nil, err
	}
	p := s.Products[m.SKU]
	if p == nil || p.RepublishAt.IsZero() || p.Published != m.Version {
		return nil, nil
	}
	p.RepublishAt = time.Time{}
	return []Event{p.publish(m.At)}, nil
}
