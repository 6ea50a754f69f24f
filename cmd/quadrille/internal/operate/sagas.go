package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// Sagas is `quadrille sagas`.
type Sagas struct {
	OlderThan time.Duration `help:"Orders that have waited as long." default:"10m"`
	Platform
	JSON bool `help:"Print one JSON object a line."`
}

// Help is shown by `quadrille sagas --help`.
func (Sagas) Help() string {
	return `Lists the orders that still wait for inventory or payment to answer their present status, the longest
waiting first: for how long, and for which events. What holds one up is a service that is away, a dead letter
("quadrille deadletter list --key ORDER"), or a gateway that refuses for good to give money back, which only
"quadrille settle" ends.

Examples:

  quadrille sagas
  quadrille sagas --older-than 0s
  quadrille sagas --older-than 1h --json`
}

// Validate refuses what makes no sense.
func (c Sagas) Validate() error {
	if c.OlderThan < 0 {
		return errors.New("--older-than must not be negative")
	}
	return nil
}

// Run prints the sagas.
func (c Sagas) Run(ctx context.Context) error { return c.run(ctx, os.Stdout, time.Now()) }

func (c Sagas) run(ctx context.Context, to io.Writer, now time.Time) error {
	platform, err := c.Client(ctx)
	if err != nil {
		return err
	}
	sagas, err := platform.Sagas(ctx, c.OlderThan.String())
	if err != nil {
		return Explain("order", platform, err)
	}
	if c.JSON {
		encoder := json.NewEncoder(to)
		for _, s := range sagas {
			if err := encoder.Encode(s); err != nil {
				return fmt.Errorf("print the sagas: %w", err)
			}
		}
		return nil
	}
	if len(sagas) == 0 {
		fmt.Fprintf(to, "No order has waited for other services for %s.\n", c.OlderThan)
		return nil
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ORDER\tSTATUS\tREASON\tFOR\tWAITS FOR\tSTUCK")
	for _, s := range sagas {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%t\n", s.OrderID, s.Status, s.Reason,
			max(0, now.Sub(s.Since)).Round(time.Second), strings.Join(s.WaitingFor, ", "), s.Stuck)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the sagas: %w", err)
	}
	return nil
}
