// Package order decides what becomes of an order: placed, then confirmed once its stock is reserved and its payment
// authorized, or cancelled on the first failure, on timeout, or on the customer's wish.
//
// Orders are event-sourced: Order.Apply is the one fold, used by the decisions and by whoever loads an order. What the
// other services answer becomes private events of the order's own stream, each at most once, so that the state folds
// from that stream alone. An answer only records a fact; settle then works out what follows from all facts known. So
// the answers may come in any order, and a repeated one changes nothing.
//
// Every message is a pure, total function of the state: it never panics, and after an error the state is as before.
package order

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	// ErrUnknownOrder says that no order has the id.
	ErrUnknownOrder = errors.New("unknown order")
	// ErrOrderExists says that the id is taken.
	ErrOrderExists = errors.New("an order with this id exists")
	// ErrUnknownAnswer says that an Answered holds none of the known answers.
	ErrUnknownAnswer = errors.New("unknown answer")
)

// Code is the stable reason of a Refusal.
type Code string

// The reasons for which a field is refused.
const (
	CodeMissing    Code = "missing"
	CodeMalformed  Code = "malformed"
	CodeTooLong    Code = "too_long"
	CodeOutOfRange Code = "out_of_range"
	// CodeTooMany says that there are more than MaxLines lines.
	CodeTooMany Code = "too_many"
	// CodeDuplicate says that an earlier line has the same sku. Lines are not merged: the order that the customer
	// reads back is the one that was sent.
	CodeDuplicate Code = "duplicate"
	// CodeUnknownProduct says that the catalogue has no such sku, or that it was withdrawn.
	CodeUnknownProduct Code = "unknown_product"
	// CodeMixedCurrency says that the line is priced in another currency than the first one.
	CodeMixedCurrency Code = "mixed_currency"
	// CodeTotalTooLarge says that this line lifts the total above MaxTotal.
	CodeTotalTooLarge Code = "total_too_large"
)

// Refusal names the field of a message that cannot be accepted, and why.
type Refusal struct {
	Code Code
	// Field is a path such as "email" or "lines[1].quantity".
	Field string
	// Line is the index of the line at fault, -1 if it is not about a line.
	Line int
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Field, r.Code) }

func refuse(code Code, field string) error { return &Refusal{Code: code, Field: field, Line: -1} }

func refuseLine(code Code, line int, field string) error {
	return &Refusal{Code: code, Field: fmt.Sprintf("lines[%d].%s", line, field), Line: line}
}

// Message asks for a change of the book.
type Message interface {
	// Decide folds the message into the book and returns what has happened. After an error the book is as before.
	Decide(*Book) ([]Event, error)
	// Needs names what must be loaded first.
	Needs() Needs
}

// Needs are the keys that a message reads, sorted and each once.
type Needs struct{ Orders, SKUs []string }

// Book is the state for one batch: what its messages need, as far as it exists.
type Book struct {
	Orders map[string]*Order
	// Catalogue is the local copy of the products, by sku.
	Catalogue map[string]Product
	// Tables is the store's note of where it read the book and where it is to write it. Messages leave it alone.
	Tables any `json:"-"`
}

func (b *Book) keepOrder(o *Order) {
	if b.Orders == nil {
		b.Orders = make(map[string]*Order)
	}
	b.Orders[o.ID] = o
}

func (b *Book) keepProduct(p Product) {
	if b.Catalogue == nil {
		b.Catalogue = make(map[string]Product)
	}
	b.Catalogue[p.SKU] = p
}

// later keeps the times of one stream from decreasing when the clocks of two replicas differ.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// checkTime refuses what is no time of ours. The years are those that both databases and JSON keep, with MaxTimeout to
// spare.
func checkTime(at time.Time) error {
	switch {
	case at.IsZero():
		return refuse(CodeMissing, "at")
	case at.Year() < 1970 || at.Year() > 9998:
		return refuse(CodeOutOfRange, "at")
	}
	return nil
}

// checkText returns the code of what one of the databases, JSON or Avro would not keep, or "".
func checkText(text string, limit int) Code {
	switch {
	case text == "":
		return CodeMissing
	case len(text) > limit:
		return CodeTooLong
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return CodeMalformed
	}
	return ""
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
