package payment

import "time"

// Account is a side of the books.
type Account string

const (
	// GatewayClearing is what the gateway owes us: taken from customers, not yet paid out.
	GatewayClearing Account = "gateway_clearing"
	// Sales is what was earned.
	Sales Account = "sales"
	// SettledByHand is what operators gave back by other means than the gateway. A hold that they saw to moves no
	// money: it is noted on both sides.
	SettledByHand Account = "settled_by_hand"
)

// Entry moves an amount from one account to another. It balances by its shape: what it debits it also credits. Entries
// are only ever appended, and (OrderID, Version) names one for good.
type Entry struct {
	OrderID  string
	Version  int64 // the payment's version after the event that led to the entry
	Debit    Account
	Credit   Account
	Amount   int64 // minor units, positive
	Currency string
	At       time.Time
	// Settlement says who did it and why, if it was done by hand.
	Settlement Settlement
}

// Line is one side of an entry. Exactly one of Debit and Credit is not 0.
type Line struct {
	Account  Account
	Debit    int64 // minor units
	Credit   int64 // minor units
	Currency string
}

// Entries returns how an event is booked. A hold moves no money and is not booked, unless an operator saw to it.
func Entries(e Event) []Entry {
	switch e := e.(type) {
	case Captured:
		return []Entry{transfer(e.Stamp, GatewayClearing, Sales, e.Amount, e.Currency)}
	case Refunded:
		if e.Settled() {
			return []Entry{byHand(transfer(e.Stamp, Sales, SettledByHand, e.Amount, e.Currency), e.Settlement)}
		}
		return []Entry{transfer(e.Stamp, Sales, GatewayClearing, e.Amount, e.Currency)}
	case Voided:
		if e.Settled() {
			return []Entry{byHand(transfer(e.Stamp, SettledByHand, SettledByHand, e.Total, e.Currency), e.Settlement)}
		}
	}
	return nil
}

func byHand(e Entry, s Settlement) Entry {
	e.Settlement = s
	return e
}

// Lines returns the debited side first.
func (e Entry) Lines() [2]Line {
	return [2]Line{
		{Account: e.Debit, Debit: e.Amount, Currency: e.Currency},
		{Account: e.Credit, Credit: e.Amount, Currency: e.Currency},
	}
}

func transfer(s Stamp, debit, credit Account, amount int64, currency string) Entry {
	return Entry{
		OrderID: s.OrderID, Version: s.Version, At: s.At,
		Debit: debit, Credit: credit, Amount: amount, Currency: currency,
	}
}
