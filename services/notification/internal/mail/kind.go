package mail

import "slices"

// Kind says what a mail tells the customer.
type Kind string

// The kinds, in the order in which an order's mails go out.
const (
	Confirmation Kind = "confirmation"
	Cancellation Kind = "cancellation"
	Refund       Kind = "refund"
)

// Kinds is how many there are.
const Kinds = 3

// InOrder returns the kinds in the order in which an order's mails go out.
func InOrder() [Kinds]Kind { return [Kinds]Kind{Confirmation, Cancellation, Refund} }

// Index is the place of a kind among InOrder, -1 for none of them.
func (k Kind) Index() int {
	kinds := InOrder()
	return slices.Index(kinds[:], k)
}
