package payment

import "time"

// Account is a side of the books.
type Account string

const (
	// GatewayClearing is what the gateway owes us: taken from customers, not yet paid out.
	GatewayClearing Account = "gateway_clearing"
	// Sales is what was earned.
	Sales Account = "sales"
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
}

// Line is one side of an entry. Exactly one of Debit and Credit is not 0.
type Line struct {
	Account  Account
	Debit    int64 // minor units
	Credit   int64 // minor units
	Currency string
}

// Entries returns how an event is booked. A hold moves no money and is not booked.
func Entries(e Event) []Entry {
	switch e := e.(type) {
	case Captured:
		return []Entry{transfer(e.Stamp, GatewayClearing, Sales, e.Amount, e.Currency)}
	case Refunded:
		return []Entry{transfer(e.Stamp, Sales, GatewayClearing, e.Amount, e.Currency)}
	default:
		return nil
	}
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
