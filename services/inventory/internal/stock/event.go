package stock

import "time"

// Event is something that has happened: Reserved, ReservationFailed, Committed and Released of an order's reservation,
// ProductUpdated of a product, and Restocked, which stays private to the service.
type Event interface{ event() }

// FailureReason says why a reservation failed, in the words of the contract.
type FailureReason string

// The reasons of ReservationFailed.
const (
	FailureOutOfStock     FailureReason = "out_of_stock"
	FailureUnknownProduct FailureReason = "unknown_product"
)

// Shortage is a line that could not be held.
type Shortage struct {
	SKU string
	// Available is what there was, 0 if the sku is unknown.
	Requested, Available int64
}

// Reserved says that all lines of an order are held. Version, here and in the next three, is the reservation's.
type Reserved struct {
	OrderID string
	Version int64
	At      time.Time
	Lines   []Line
}

// ReservationFailed says that nothing is held for the order.
type ReservationFailed struct {
	OrderID   string
	Version   int64
	At        time.Time
	Reason    FailureReason
	Shortages []Shortage
}

// Committed says that what was held is sold.
type Committed struct {
	OrderID string
	Version int64
	At      time.Time
	Lines   []Line
}

// Released answers a cancellation: Lines are available again, none if nothing was held.
type Released struct {
	OrderID string
	Version int64
	At      time.Time
	Lines   []Line
	// From is the status before: reserved or committed if there are Lines.
	From Status
}

// ProductUpdated carries the whole product but its levels. Version is the product's.
type ProductUpdated struct {
	SKU, Name string
	Price     int64
	Currency  string
	Version   int64
	At        time.Time
}

// Restocked says that Quantity came in. Version is the product's.
type Restocked struct {
	SKU      string
	Version  int64
	At       time.Time
	Quantity int64
}

func (Reserved) event()          {}
func (ReservationFailed) event() {}
func (Committed) event()         {}
func (Released) event()          {}
func (ProductUpdated) event()    {}
func (Restocked) event()         {}
