package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// swept is what was done to the letters of a service; an object of --json.
type swept struct {
	Service string `json:"service"`
	Action  string `json:"action"`
	Moved   int64  `json:"moved"`
	// Left still fit: they wait behind others, or came meanwhile.
	Left int64 `json:"left"`

	fit int64
}

// sweep counts the letters that fit, asks, and then rules on them.
func (r ruling) sweep(ctx context.Context, platform *client.Client, with talk) error {
	services, err := r.services(platform)
	if err != nil {
		return err
	}
	var all []swept
	var total int64
	for _, name := range services {
		counted, err := platform.RuleMany(ctx, name, r.action, r.By, client.Sweep{
			Filter: r.filter(), DryRun: true,
		})
		if err != nil {
			return operate.Explain(name, platform, err)
		}
		all = append(all, swept{Service: name, Action: r.action, Left: counted.Left, fit: counted.Left})
		total += counted.Left
	}
	if agreed, err := r.agreed(ctx, with, all, total); err != nil || !agreed {
		return err
	}
	pace := newPace(r.Rate)
	defer pace.stop()
	told := newProgress(with, r.JSON, r.action, total)
	for i := range all {
		if err := r.service(ctx, platform, &all[i], pace, told); err != nil {
			told.end()
			return errors.Join(err, r.report(with, all))
		}
	}
	told.end()
	return r.report(with, all)
}

// filter is that of the letters to be moved. Nothing but a dead letter can be redriven.
func (r ruling) filter() client.DeadLetterFilter {
	if r.action == client.Redrive {
		return r.of("dead")
	}
	return r.of(r.state)
}

// agreed is true if the letters that were counted may be moved. Without any there is nothing to be asked.
func (r ruling) agreed(ctx context.Context, with talk, all []swept, total int64) (bool, error) {
	if total == 0 || r.Yes {
		return true, nil
	}
	var each []string
	for _, s := range all {
		if s.fit > 0 {
			each = append(each, fmt.Sprintf("%d of %s", s.fit, s.Service))
		}
	}
	what := fmt.Sprintf("%s %s (%s)", r.action, count(total, "letter"), strings.Join(each, ", "))
	if !with.asks {
		return false, fmt.Errorf("%w %s", ErrConfirm, what)
	}
	agreed, err := ask(ctx, with, fmt.Sprintf("%s? [y/N] ", strings.ToUpper(what[:1])+what[1:]))
	if err != nil || agreed {
		return agreed, err
	}
	_, err = fmt.Fprintln(with.to, "Nothing was done.")
	return false, err
}

// service goes through the letters of one service once: never through more than were counted.
func (r ruling) service(ctx context.Context, platform *client.Client, s *swept, pace *pace, told *progress) error {
	cursor := ""
	for s.Moved < s.fit {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		limit := min(int64(pace.each), s.fit-s.Moved)
		done, err := platform.RuleMany(ctx, s.Service, r.action, r.By, client.Sweep{
			Filter: r.filter(), Limit: int(limit), Cursor: cursor, Reason: r.reason,
		})
		if err != nil {
			return operate.Explain(s.Service, platform, err)
		}
		s.Moved, s.Left = s.Moved+done.Moved, done.Left
		told.add(done.Moved)
		if done.NextCursor == "" {
			return nil
		}
		cursor = done.NextCursor
	}
	return nil
}

func (r ruling) report(with talk, all []swept) error {
	encoder := json.NewEncoder(with.to)
	for _, s := range all {
		var err error
		switch {
		case r.JSON:
			err = encoder.Encode(s)
		case s.fit > 0:
			_, err = fmt.Fprintf(with.to, "%s: %d %s%s\n", s.Service, s.Moved, past(r.action), left(s.Left))
		}
		if err != nil {
			return fmt.Errorf("print what was done: %w", err)
		}
	}
	if !r.JSON && !contains(all) {
		_, err := fmt.Fprintln(with.to, "no letter fits")
		return err
	}
	return nil
}

func contains(all []swept) bool {
	for _, s := range all {
		if s.fit > 0 {
			return true
		}
	}
	return false
}

func left(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d still fit: they wait behind others, failed again or came meanwhile", n)
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func past(action string) string {
	if action == client.Redrive {
		return "redriven"
	}
	return "discarded"
}

// perSecond is how often a service is asked at most.
const perSecond = 10

// pace spreads letters over time: each of its turns is for so many.
type pace struct {
	each   int
	ticker *time.Ticker
	begun  bool
}

func newPace(rate int) *pace {
	each := max(1, min(rate/perSecond, 500))
	return &pace{each: each, ticker: time.NewTicker(time.Second * time.Duration(each) / time.Duration(rate))}
}

func (p *pace) stop() { p.ticker.Stop() }

// wait returns when the next turn has come. The first comes at once.
func (p *pace) wait(ctx context.Context) error {
	if !p.begun {
		p.begun = true
		if ctx.Err() != nil {
			return errInterrupted
		}
		return nil
	}
	select {
	case <-ctx.Done():
		return errInterrupted
	case <-p.ticker.C:
		return nil
	}
}
