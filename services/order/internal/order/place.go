package order

import "time"

// Limits of an order.
const (
	MaxLines    = 100
	MaxQuantity = 1_000_000
	// MaxTotal is the largest integer that every JSON reader keeps, in minor units.
	MaxTotal = 1<<53 - 1
	// MaxText bounds ids, skus and payment methods, MaxEmail an e-mail address (RFC 5321), both in bytes.
	MaxText  = 128
	MaxEmail = 254
	// MaxTimeout bounds how long an order may stay pending.
	MaxTimeout = 30 * 24 * time.Hour
)

// Place starts an order. The prices are the catalogue's: a client never names one.
type Place struct {
	// OrderID is minted on arrival.
	OrderID string
	// Email is well formed: the edge has checked that.
	CustomerID, Email, PaymentMethod string
	// SalesChannel is where the customer came from; it may be empty.
	SalesChannel string
	// Lines name each sku once.
	Lines []Item
	At    time.Time
	// Timeout is how long the order may stay pending.
	Timeout time.Duration
}

// Item is what a customer wants of one sku.
type Item struct {
	SKU      string
	Quantity int64
}

// Needs names the order, to see that its id is free, and the products.
func (m Place) Needs() Needs {
	skus := make([]string, len(m.Lines))
	for i, l := range m.Lines {
		skus[i] = l.SKU
	}
	return Needs{Orders: []string{m.OrderID}, SKUs: sorted(skus)}
}

// Decide leads to Placed, or to a Refusal of the first field at fault.
func (m Place) Decide(b *Book) ([]Event, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	placed, err := m.price(b.Catalogue)
	if err != nil {
		return nil, err
	}
	if b.Orders[m.OrderID] != nil {
		return nil, ErrOrderExists
	}
	o := &Order{ID: m.OrderID}
	b.keepOrder(o)
	return []Event{o.raise(m.At, placed)}, nil
}

// check looks at all that can be judged without the catalogue.
func (m Place) check() error {
	texts := []struct {
		field, text string
		limit       int
	}{
		{"order_id", m.OrderID, MaxText},
		{"customer_id", m.CustomerID, MaxText},
		{"email", m.Email, MaxEmail},
		{"payment_method", m.PaymentMethod, MaxText},
	}
	for _, t := range texts {
		if code := checkText(t.text, t.limit); code != "" {
			return refuse(code, t.field)
		}
	}
	if code := checkText(m.SalesChannel, MaxText); m.SalesChannel != "" && code != "" {
		return refuse(code, "sales_channel")
	}
	if err := checkTime(m.At); err != nil {
		return err
	}
	switch {
	case m.Timeout <= 0 || m.Timeout > MaxTimeout:
		return refuse(CodeOutOfRange, "timeout")
	case len(m.Lines) == 0:
		return refuse(CodeMissing, "lines")
	case len(m.Lines) > MaxLines:
		return refuse(CodeTooMany, "lines")
	}
	named := make(map[string]bool, len(m.Lines))
	for i, l := range m.Lines {
		if code := checkText(l.SKU, MaxText); code != "" {
			return refuseLine(code, i, "sku")
		}
		if named[l.SKU] {
			return refuseLine(CodeDuplicate, i, "sku")
		}
		named[l.SKU] = true
		if l.Quantity < 1 || l.Quantity > MaxQuantity {
			return refuseLine(CodeOutOfRange, i, "quantity")
		}
	}
	return nil
}

func (m Place) price(catalogue map[string]Product) (Placed, error) {
	placed := Placed{
		CustomerID: m.CustomerID, Email: m.Email, PaymentMethod: m.PaymentMethod,
		Lines: make([]Line, len(m.Lines)), Deadline: m.At.Add(m.Timeout), SalesChannel: m.SalesChannel,
	}
	for i, l := range m.Lines {
		p, known := catalogue[l.SKU]
		if !known || p.Withdrawn || p.Price < 1 {
			return Placed{}, refuseLine(CodeUnknownProduct, i, "sku")
		}
		if i == 0 {
			placed.Currency = p.Currency
		}
		if p.Currency != placed.Currency {
			return Placed{}, refuseLine(CodeMixedCurrency, i, "sku")
		}
		if p.Price > (MaxTotal-placed.Total)/l.Quantity {
			return Placed{}, refuseLine(CodeTotalTooLarge, i, "quantity")
		}
		placed.Total += p.Price * l.Quantity
		placed.Lines[i] = Line{SKU: l.SKU, Quantity: l.Quantity, UnitPrice: p.Price}
	}
	return placed, nil
}
