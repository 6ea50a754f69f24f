package sim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Campaign plays many seeds.
type Campaign struct {
	// Workers play them.
	Workers []*Worker
	// Out gets a line for each seed that fails, and its shrunk fault list.
	Out io.Writer
	// Done is told after each seed, in the order in which they end. Defaults to nobody.
	Done func(Result)

	mu   sync.Mutex
	hits map[string]int
	fail []Result
	n    int
}

// Play plays seeds until there are no more or ctx ends, and returns those that failed.
func (c *Campaign) Play(ctx context.Context, seeds <-chan uint64) (failed []Result, err error) {
	c.hits = make(map[string]int)
	errs := make(chan error, len(c.Workers))
	for _, w := range c.Workers {
		go func() { errs <- c.work(ctx, w, seeds) }()
	}
	for range c.Workers {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return c.fail, err
}

// Hits counts what happened sometimes, over all seeds.
func (c *Campaign) Hits() map[string]int { return c.hits }

func (c *Campaign) work(ctx context.Context, w *Worker, seeds <-chan uint64) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case seed, ok := <-seeds:
			if !ok {
				return nil
			}
			r, err := w.Play(Job{Seed: seed})
			if err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
			report := ""
			if len(r.Violations) > 0 {
				if report, err = shrink(w.Play, r); err != nil {
					return fmt.Errorf("shrink seed %d: %w", seed, err)
				}
			}
			c.note(r, report)
		}
	}
}

func (c *Campaign) note(r Result, report string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	for name, n := range r.Hits {
		c.hits[name] += n
	}
	if len(r.Violations) > 0 {
		c.fail = append(c.fail, r)
		fmt.Fprint(c.Out, report)
	}
	if c.Done != nil {
		c.Done(r)
	}
}

func first[T any](all []T, n int) []T { return all[:min(n, len(all))] }

// pace describes how fast seeds were played.
func pace(n int, took time.Duration) string {
	return fmt.Sprintf("%d seeds in %v, %.2f a second", n, took.Round(time.Second), float64(n)/took.Seconds())
}
