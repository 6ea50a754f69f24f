package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	// lease is for how long a call is claimed; pause is before when the same is not made again.
	lease, pause = 30 * time.Second, 100 * time.Millisecond
	// leasedTimes as many calls are claimed as are made at a time.
	leasedTimes = 8
)

// call is one to be made to the outside.
type call struct {
	key, operation     string
	claim              int64
	payment            paymentRow // of one to the gateway
	log                mailLog    // of one to the mail server
	correlation, trace string
}

// caller claims outside calls whenever a commit left one due, and makes them.
type caller struct {
	service *service
	// table has the calls that are due, limit are made at a time.
	table string
	limit int
	// next locks what the calls follow from, and returns them by key, without the number of the claim.
	next func(ctx context.Context, tx *pgx.Conn, keys []string) (map[string]call, error)
	// perform makes one and returns its answer.
	perform func(ctx context.Context, c call) (*message, error)

	db    *pgx.Conn
	woken chan struct{}
	ended chan call
	todo  chan call
}

func (c *caller) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (c *caller) start(ctx context.Context, g *errgroup.Group) (err error) {
	c.ended, c.todo = make(chan call, leasedTimes*c.limit), make(chan call, leasedTimes*c.limit)
	if c.db, err = pgx.Connect(ctx, c.service.url); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	g.Go(func() error {
		defer func() { _ = c.db.Close(context.WithoutCancel(ctx)) }()
		return c.run(ctx)
	})
	for range c.limit {
		g.Go(func() error { return c.work(ctx) })
	}
	return nil
}

// work makes one call after the other. The commit of an answer keeps no next call waiting.
func (c *caller) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case one := <-c.todo:
			answer, err := c.perform(ctx, one)
			if err != nil {
				return fmt.Errorf("%s of order %s: %w", one.operation, one.key, err)
			}
			answer.scope, answer.kind, answer.key = "call", one.operation, one.key
			answer.letter = "call/" + one.key + "/" + one.operation
			answer.id = fmt.Sprintf("%s/%d", answer.letter, one.claim)
			answer.correlation, answer.trace, answer.cause = one.correlation, one.trace, newID()
			answer.at = instant()
			if err := c.service.send(ctx, answer, func() { c.ended <- one }); err != nil {
				return err
			}
		}
	}
}

func (c *caller) run(ctx context.Context) error {
	leased := 0
	for {
		var ended []call
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.woken:
		case one := <-c.ended:
			ended = append(ended, one)
		}
		for more := true; more; {
			select {
			case one := <-c.ended:
				ended = append(ended, one)
			default:
				more = false
			}
		}
		leased -= len(ended)
		claimed, err := c.claim(ctx, ended, leasedTimes*c.limit-leased)
		if err != nil {
			return fmt.Errorf("claim calls of %s: %w", c.service.name, err)
		}
		leased += len(claimed)
		for _, one := range claimed {
			c.todo <- one // which has room for all that are leased
		}
	}
}

// claim ends the leases of ended calls and takes those of the next, in a transaction unless there is nothing to do.
func (c *caller) claim(ctx context.Context, ended []call, limit int) (claimed []call, err error) {
	now := instant()
	if len(ended) == 0 {
		if limit <= 0 {
			return nil, nil
		}
		if _, err := c.db.Exec(ctx, beginOne); err != nil {
			return nil, err
		}
		due, err := c.due(ctx, nil, now, 1)
		if err != nil {
			return nil, err
		}
		if _, err := c.db.Exec(ctx, "COMMIT"); err != nil || len(due) == 0 {
			return nil, err
		}
	}
	if _, err := c.db.Exec(ctx, begin); err != nil {
		return nil, err
	}
	if claimed, err = c.claimIn(ctx, ended, now, limit); err != nil {
		return nil, err
	}
	_, err = c.db.Exec(ctx, "COMMIT")
	return claimed, err
}

func (c *caller) claimIn(ctx context.Context, ended []call, now time.Time, limit int) (claimed []call, err error) {
	var due []string
	if limit > 0 {
		if due, err = c.due(ctx, ended, now, limit); err != nil {
			return nil, err
		}
	}
	keys := sortedOnce(append(column(ended, func(e call) string { return e.key }), due...))
	if len(keys) == 0 {
		return nil, nil
	}
	next, err := c.next(ctx, c.db, keys)
	if err != nil {
		return nil, err
	}
	claims, err := c.claims(ctx, keys)
	if err != nil {
		return nil, err
	}
	changed := make(map[string]leaseRow, len(keys))
	for _, e := range ended {
		changed[e.key] = leaseRow{e.key, e.operation, e.claim, now, now.Add(pause)}
	}
	for _, key := range due {
		one := next[key]
		one.claim = claims[key] + 1
		changed[key] = leaseRow{key, one.operation, one.claim, now.Add(lease), now.Add(lease + pause)}
		claimed = append(claimed, one)
	}
	return claimed, c.save(ctx, changed)
}
