package deadletter

import (
	"context"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

type redriveCommand struct {
	operate.Platform
	Choice
	Reason string `help:"Why, for those who look later."`
}

// Help is shown by `quadrille deadletter redrive --help`.
func (redriveCommand) Help() string {
	return `Has dead messages tried again, now, and by the rules for parked ones. Once one succeeds, what is queued
behind it goes on by itself. Of each queue only the head can be redriven. With a filter it counts first and asks, then
goes through them once, oldest first. A message that fails again is dead again: mend the cause before.

Examples:

  quadrille deadletter redrive order/17
  quadrille deadletter redrive order/17 order/18 --reason 'product is there now'
  quadrille deadletter redrive --class refused --service payment
  quadrille deadletter redrive --all --rate 100 --yes --operator ada`
}

// Validate refuses what makes no sense.
func (c redriveCommand) Validate() error { return c.validate() }

// Run redrives letters.
func (c redriveCommand) Run(ctx context.Context) error {
	return ruling{c.Platform, c.Choice, client.Redrive, "", c.Reason}.run(ctx, terminal(c.JSON))
}
