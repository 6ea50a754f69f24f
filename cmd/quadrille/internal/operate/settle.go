package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Settle is `quadrille settle`.
type Settle struct {
	Order  string `arg:"" help:"Id of the order."`
	Reason string `help:"What was done instead, for the books." required:"" placeholder:"TEXT"`
	Key    string `help:"Idempotency-Key, which makes it safe to repeat." placeholder:"KEY"`
	Platform
	Operator
	JSON bool `help:"Print the payment as JSON."`
}

// Help is shown by `quadrille settle --help`.
func (Settle) Help() string {
	return `When the gateway refuses for good to give money back, or to let go of a hold, the payment is stuck and the
saga of its order does not end. An operator then gives the money back by other means and says so: the payment ends as
refunded or voided, the ledger books it on an account of its own with operator and reason, the order completes, and
events and answers say that it was settled by hand. Nothing else can be settled: it is refused unless the gateway has
refused for good.

Examples:

  quadrille settle 0199… --reason transfer-4711
  quadrille settle 0199… --reason acquirer-confirms-lapse --operator ada --key 4711 --json`
}

// Run settles the payment.
func (c Settle) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c Settle) run(ctx context.Context, to io.Writer) error {
	operator, err := c.Known()
	if err != nil {
		return err
	}
	platform, err := c.Client(ctx)
	if err != nil {
		return err
	}
	p, err := platform.Settle(ctx, c.Order, operator, c.Reason, c.Key)
	if err != nil {
		return Explain("payment", platform, err)
	}
	if c.JSON {
		if err := json.NewEncoder(to).Encode(p); err != nil {
			return fmt.Errorf("print the payment: %w", err)
		}
		return nil
	}
	fmt.Fprintf(to, "The payment of order %s is %s by hand, as %s says.\n", c.Order, p.Status, operator)
	return nil
}
