package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/gateway"
)

// Supply is a product and its first stock.
type Supply struct {
	SKU      string
	Price    int64
	Quantity int64
}

// Errand is what a person does: one request, which is repeated for want of an answer, and what follows from it.
type Errand struct {
	At time.Duration
	// Do is order, restock, price, read or err: what no service can do for anybody.
	Do       string
	Purchase client.Purchase
	SKU      string
	Amount   int64 // of a restock, or the new price
	// Patience is how long an answer is waited for, Tries how often it is asked for, Twice whether a second request
	// goes out beside the first.
	Patience time.Duration
	Tries    int
	Twice    bool
	// Follows says whether the customer looks at what becomes of the order.
	Follows bool
	// CancelAfter is when the order that was placed is cancelled, 0 for never.
	CancelAfter time.Duration
}

// tokens are what customers pay with, the usual ones more often.
var tokens = []gateway.Token{
	gateway.TokenVisa, gateway.TokenVisa, gateway.TokenVisa, gateway.TokenVisa, gateway.TokenDeclined,
	gateway.TokenInsufficientFunds, gateway.TokenFlaky, gateway.TokenSlow, gateway.TokenTimeout,
	gateway.TokenCaptureDeclined, gateway.TokenRefundDeclined, gateway.TokenCancelDeclined, "tok_unheard_of",
	"no token at all",
}

var mailboxes = []string{"ada", "ada", "ada", "ada", "refused", "busy", "slow", "silent"}

func drawProducts(rng *rand.Rand) []Supply {
	products := make([]Supply, 1+rng.IntN(3))
	for i := range products {
		products[i] = Supply{
			SKU: fmt.Sprintf("sku-%d", i), Price: 100 * int64(1+rng.IntN(9)), Quantity: int64(2 + rng.IntN(9)),
		}
	}
	return products
}

func drawErrands(rng *rand.Rand, products []Supply, length time.Duration) []Errand {
	errands := make([]Errand, 5+rng.IntN(12))
	for i := range errands {
		e := Errand{
			At: between(rng, 0, length), Do: "order", SKU: products[rng.IntN(len(products))].SKU,
			Patience: between(rng, 20*time.Millisecond, 2*time.Second), Tries: 1 + rng.IntN(12),
			Twice: rng.IntN(6) == 0,
		}
		switch rng.IntN(10) {
		case 0:
			e.Do, e.Amount = "restock", int64(1+rng.IntN(5))
		case 1:
			e.Do, e.Amount = "price", 100*int64(1+rng.IntN(9))
		case 2:
			e.Do = []string{"read", "err"}[rng.IntN(2)]
		default:
			e.Purchase = client.Buy(string(tokens[rng.IntN(len(tokens))]))
			e.Purchase.CustomerID = fmt.Sprintf("customer-%d", i)
			e.Purchase.Email = mailboxes[rng.IntN(len(mailboxes))] + "@example.com"
			for n := range 1 + rng.IntN(len(products)) {
				e.Purchase.Lines = append(e.Purchase.Lines,
					client.Line{SKU: products[n].SKU, Quantity: int64(1 + rng.IntN(3))})
			}
			e.Follows = rng.IntN(3) == 0
			if rng.IntN(3) == 0 {
				e.CancelAfter = between(rng, time.Millisecond, 4*time.Second)
			}
			if e.Purchase.PaymentMethod == string(gateway.TokenTimeout) && rng.IntN(2) == 0 {
				e.CancelAfter = orderTimeout + between(rng, 0, second/4) // when its time is up
			}
		}
		errands[i] = e
	}
	return errands
}
