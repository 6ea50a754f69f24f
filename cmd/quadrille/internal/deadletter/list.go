package deadletter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

type listCommand struct {
	operate.Platform
	Filter
	State string `help:"Only letters in this state: ${enum} (default: parked and dead)." enum:",parked,dead,discarded" default:"" placeholder:"NAME"`
	Limit int    `help:"At most so many of each service." default:"100"`
	JSON  bool   `help:"Print one JSON object a line."`
}

// Help is shown by `quadrille deadletter list --help`.
func (listCommand) Help() string {
	return `A message that a service cannot handle is set aside, and the others go on. It is parked as long as it is
tried again by itself, and dead when that is over or would lead nowhere. Both hold back later events of their topic and
key, which queue behind; only the head of a queue can be redriven or discarded.

Oldest first, a line holds the letter's name, its state, whether it is the head, the class of the failure, topic, key,
type, how often it was tried, since when, and why. What the message says is shown by "quadrille deadletter show".

Examples:

  quadrille deadletter list
  quadrille deadletter list --service payment --state dead
  quadrille deadletter list --key 0199… --json
  quadrille deadletter list --class undecodable --older-than 1h
  quadrille deadletter list --state discarded`
}

// Validate refuses what makes no sense.
func (c listCommand) Validate() error {
	if c.Limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	return nil
}

// Run prints the letters, and on the standard error output whether there are more. It fails if a service does not
// answer.
func (c listCommand) Run(ctx context.Context) error {
	return c.run(ctx, os.Stdout, os.Stderr, time.Now())
}

// listed is a line of --json.
type listed struct {
	Service string `json:"service"`
	client.DeadLetter
}

func (c listCommand) run(ctx context.Context, to, notes io.Writer, now time.Time) error {
	platform, err := c.Client(ctx)
	if err != nil {
		return err
	}
	services, err := c.services(platform)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	var errs []error
	var cut []string
	shown := 0
	for _, name := range services {
		letters, more, err := platform.DeadLetters(ctx, name, c.of(c.State), c.Limit)
		if err != nil {
			errs = append(errs, operate.Explain(name, platform, err))
			continue
		}
		if more {
			cut = append(cut, name)
		}
		for _, l := range letters {
			if c.JSON {
				if err := encoder.Encode(listed{name, l}); err != nil {
					return fmt.Errorf("print the letters: %w", err)
				}
				continue
			}
			if shown++; shown == 1 {
				fmt.Fprintln(table, "LETTER\tSTATE\tHEAD\tCLASS\tTOPIC\tKEY\tTYPE\tTRIED\tSINCE\tWHY")
			}
			fmt.Fprintln(table, line(name, l, now))
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the letters: %w", err)
	}
	if !c.JSON && shown == 0 && len(errs) == 0 {
		fmt.Fprintln(to, "no letters")
	}
	if len(cut) > 0 {
		fmt.Fprintf(notes, "and more of %s: --limit\n", strings.Join(cut, ", "))
	}
	return errors.Join(errs...)
}

// maxWhy is how much of an error stands in a line, in characters.
const maxWhy = 60

func line(service string, l client.DeadLetter, now time.Time) string {
	head := "-"
	if l.Head {
		head = "head"
	}
	why := []rune(operate.Legible(l.Error))
	if len(why) > maxWhy {
		why = append(why[:maxWhy], '…')
	}
	return strings.Join([]string{
		letterID{service, l.ID}.String(), l.State, head, l.Class, operate.Legible(l.Topic),
		cmp.Or(operate.Legible(l.Key), "-"), cmp.Or(short(operate.Legible(l.Type)), "-"), fmt.Sprint(l.Attempts),
		age(now.Sub(l.Since())), string(why),
	}, "\t")
}

// age in the largest two units that tell something.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", max(0, d)/time.Second)
}

// short is a full name without its namespace.
func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
