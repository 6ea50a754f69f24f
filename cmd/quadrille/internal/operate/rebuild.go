package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	lookEvery = 200 * time.Millisecond
	// patience is how long the service may be away while its rebuild is followed: it goes on by itself.
	patience = time.Minute
)

// Rebuild is `quadrille rebuild`.
type Rebuild struct {
	Model string `arg:"" enum:"catalogue,orders" help:"Read model of the order service: ${enum}."`
	Platform
	Operator
	JSON bool `help:"Print how it ended as JSON."`
}

// Help is shown by `quadrille rebuild --help`.
func (Rebuild) Help() string {
	return `A read model holds nothing that cannot be made again: the catalogue is made of the topic product.events, the
orders, as lists and timers see them, of the events of each order. A rebuild makes one anew beside the one that is
served, while the service goes on, and then has the new one served. Nothing comes of it but rows: no event, no call and
no mail. If the service dies meanwhile, it goes on with it when it is back; one rebuild of a model runs at a time.

The command follows it to its end. Ctrl-C ends the following, not the rebuild.

Examples:

  quadrille rebuild catalogue
  quadrille rebuild orders --operator ada
  quadrille rebuild orders --against addresses.json --json`
}

// Run returns once the rebuild has ended, with an error if it failed.
func (c Rebuild) Run(ctx context.Context) error {
	return c.run(ctx, os.Stdout, os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
}

func (c Rebuild) run(ctx context.Context, to, notes io.Writer, inPlace bool) error {
	operator, err := c.Known()
	if err != nil {
		return err
	}
	platform, err := c.Client(ctx)
	if err != nil {
		return err
	}
	r, err := platform.StartRebuild(ctx, c.Model, operator)
	if err != nil {
		return Explain("order", platform, err)
	}
	if r, err = follow(ctx, platform, r, notes, inPlace); err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(to).Encode(r); err != nil {
			return fmt.Errorf("print the rebuild: %w", err)
		}
	}
	if r.State != "done" {
		return fmt.Errorf("the rebuild of %s has failed, and it is served as before: %s", r.Model, r.Error)
	}
	if !c.JSON {
		fmt.Fprintf(to, "%s: rebuilt from %d %s in %s.\n", r.Model, r.Done, facts(r.Model),
			r.UpdatedAt.Sub(r.StartedAt).Round(time.Millisecond))
	}
	return nil
}

// follow tells every second how far the rebuild is, until it ends.
func follow(ctx context.Context, platform *client.Client, r client.Rebuild, notes io.Writer, inPlace bool) (
	client.Rebuild, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	told, heard := time.Now(), time.Now()
	for r.State == "running" {
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("no longer followed: the rebuild of %s goes on", r.Model)
		case <-ticker.C:
		}
		now, err := platform.Rebuild(ctx, r.Model)
		switch {
		case err == nil:
			r, heard = now, time.Now()
		case ctx.Err() == nil && (client.StatusOf(err)/100 == 4 || time.Since(heard) > patience):
			return r, Explain("order", platform, err)
		}
		if !inPlace && time.Since(told) < time.Second {
			continue
		}
		told = time.Now()
		line := fmt.Sprintf("%s: %s, %d of about %d %s", r.Model, r.Phase, r.Done, max(r.Total, r.Done), facts(r.Model))
		if err != nil {
			line = "order does not answer; the rebuild goes on when it is back"
		}
		if inPlace {
			fmt.Fprintf(notes, "\r\x1b[K%s", line)
		} else {
			fmt.Fprintln(notes, line)
		}
	}
	if inPlace {
		fmt.Fprint(notes, "\r\x1b[K")
	}
	return r, nil
}

// facts are what a model is made of.
func facts(model string) string {
	if model == "catalogue" {
		return "product events"
	}
	return "orders"
}
