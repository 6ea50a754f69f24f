package deadletter

import (
	"context"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

type discardCommand struct {
	operate.Platform
	Choice
	State  string `help:"Only letters in this state: parked or dead (default: both)." enum:",parked,dead" default:"" placeholder:"NAME"`
	Reason string `help:"Why they may be given up; it is kept with them." required:"" placeholder:"TEXT"`
}

// Help is shown by `quadrille deadletter discard --help`.
func (discardCommand) Help() string {
	return `Gives messages up: they will never be handled, and what is queued behind them goes on without them. Their
bytes, who gave them up and why are kept until the topics have forgotten them too. Of each queue only the head can be
discarded; a filter takes as many from the head on as it fits. With a filter it counts first and asks.

Discarding does not undo or mend anything: an order whose event is given up may stay as it is until somebody settles it.

Examples:

  quadrille deadletter discard order/17 --reason 'written by a test'
  quadrille deadletter discard --key 0199… --reason 'settled by hand'
  quadrille deadletter discard --class undecodable --service payment --reason 'garbage' --yes`
}

// Validate refuses what makes no sense.
func (c discardCommand) Validate() error { return c.validate() }

// Run discards letters.
func (c discardCommand) Run(ctx context.Context) error {
	return ruling{c.Platform, c.Choice, client.Discard, c.State, c.Reason}.run(ctx, terminal(c.JSON))
}
