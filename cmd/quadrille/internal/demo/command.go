// Package demo shows what the platform can, one step a capability. Each step makes its fault happen, sees that it did,
// and then that it did no harm. It looks at what everybody can see: the HTTP APIs, the topics, the gateway's record.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// atOnce is how many platforms run side by side.
const atOnce = 3

// Command is `quadrille demo`.
type Command struct {
	Step    []string `help:"Show only this step; may be repeated." placeholder:"NAME" predictor:"step"`
	List    bool     `help:"List the steps and show none."`
	JSON    bool     `help:"Print one JSON object a step, then a summary."`
	Against string   `help:"Show it on a platform that runs already, of these addresses: the file, the URL or the text that 'quadrille up --json' printed. Steps that start or kill processes are skipped." placeholder:"FILE|URL|JSON" predictor:"file"`
	Token   string   `help:"Token of its admin listeners, if they ask for one." env:"QUADRILLE_ADMIN_TOKEN" placeholder:"TOKEN"`
}

// Help is shown by `quadrille demo --help`.
func (Command) Help() string {
	return `Starts platforms of its own on free ports, in temporary folders, and stops them in the end. Each step makes
something happen, sees that it really happened, and then that it did no harm: the order's events on Kafka, the stock,
the ledger and the gateway's own record are as they must be, and still are after the last step. A row shows the result,
how long the step took, the id of the trace to which all of its requests and events belong, and what was seen.

What needs two processes on one database runs on a throwaway PostgreSQL. Without its server binaries that step is
skipped, and the last line says so; with CI=true it fails.

On a platform that runs already, of which the flag --against tells, poison sends garbage to a topic and discards its
dead letters, and rebuild makes the read models anew.

Examples:

  quadrille demo                                       all of it
  quadrille demo --list                                what there is
  quadrille demo --step kill-payment --step restart    some of it
  quadrille up --json > addresses.json &
  quadrille demo --against addresses.json              on a platform that runs already`
}

// Validate refuses the name of no step.
func (c Command) Validate() error {
	_, err := chosen(c.Step)
	return err
}

// Run shows the steps. It returns an error unless all of them hold.
func (c Command) Run(ctx context.Context) error {
	of, err := chosen(c.Step)
	if err != nil {
		return err
	}
	if c.List {
		return c.list(of)
	}
	r := newReport(os.Stdout, c.JSON, of)
	if c.Against != "" {
		err = c.against(ctx, of, r)
	} else {
		err = c.own(ctx, of, r)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	end := r.end()
	if err == nil && end.Failed > 0 {
		err = fmt.Errorf("%d of %d steps failed", end.Failed, len(of))
	}
	return err
}

// own shows steps on platforms that it starts, side by side. The first starts alone, so that its time counts.
func (c Command) own(ctx context.Context, of []step, r *report) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := forget(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, l := range lanes(of) {
		started := make(chan struct{})
		g.Go(func() error { return l.run(ctx, program, r, func() { close(started) }) })
		if i == 0 {
			<-started
		}
	}
	return g.Wait()
}

// forget drops what the environment tells the services of another platform, such as its token: those of the demo's own
// would take it for theirs.
func forget() error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, service.Prefix) && !strings.HasPrefix(name, service.TestPrefix) {
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("forget %s: %w", name, err)
			}
		}
	}
	return nil
}

// against shows steps on a platform that runs already, and skips those that would start or kill something.
func (c Command) against(ctx context.Context, of []step, r *report) error {
	addresses, err := client.ReadAddresses(ctx, c.Against)
	if err != nil {
		return err
	}
	platform := client.New(addresses).WithToken(c.Token)
	for _, l := range lanes(of) {
		if l.on.why != "" {
			l.skip(r, "not on a platform that runs already: "+l.on.why)
			continue
		}
		if err := l.show(ctx, platform, nil, r); err != nil {
			return err
		}
	}
	return nil
}

func (c Command) list(of []step) error {
	for _, s := range of {
		if !c.JSON {
			fmt.Printf("%-20s %s\n", s.name, s.about)
			continue
		}
		line := map[string]string{"step": s.name, "about": s.about}
		if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
			return fmt.Errorf("list the steps: %w", err)
		}
	}
	return nil
}
