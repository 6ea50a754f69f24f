package main

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/load"
)

const (
	// underWay is how many sagas are at a time while the capacity is measured, fewUnderWay while it is only looked at.
	underWay, fewUnderWay = 1000, 100
	// requests is how many requests are under way at most.
	requests = 128
	// rampUp comes before what is measured, lookEvery is how often completions are counted.
	rampUp    = 3 * time.Second
	lookEvery = 5 * time.Millisecond
	// unbounded is a rate and a time that only the sagas under way hold back.
	unboundedRate = 1 << 20
	unboundedTime = time.Hour
)

// capacity is what one of the two does when there is always something to do.
type capacity struct {
	sagas   int
	wall    time.Duration
	cpu     map[string]time.Duration
	machine time.Duration // processor time of all programs
}

func (c capacity) rate() float64 { return float64(c.sagas) / c.wall.Seconds() }

// saturate keeps n sagas under way for some time and counts those that complete meanwhile.
func saturate(ctx context.Context, x *stand, cfg config, n int, ramp, d time.Duration) (capacity, error) {
	loading, enough := context.WithCancel(ctx)
	defer enough()
	free := make(chan struct{}, n)
	for range n {
		free <- struct{}{}
	}
	l := load.New(load.Config{
		Order: x.order, MaxWaiting: requests, Purchase: func(n int) client.Purchase {
			select {
			case <-free:
			case <-loading.Done():
			}
			return purchase(n, cfg.skus)
		},
	})
	began, _ := x.watcher.Count()
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.Run(loading, unboundedRate, unboundedTime)
	}()
	released := began
	// pass lets a new order go out for each saga that completes, until done says so.
	pass := func(done func(completed int) bool) error {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			completed, strayed := x.watcher.Count()
			for ; released < completed; released++ {
				select {
				case free <- struct{}{}:
				default: // those that go out at the end hold nothing
				}
			}
			if strayed > 0 {
				return fmt.Errorf("%s: %d events tell of sagas that went wrong", x.name, strayed)
			}
			if done(completed) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-ticker.C:
			}
			if err := x.alive(); err != nil {
				return err
			}
		}
	}
	after := func(d time.Duration) func(int) bool {
		until := time.Now().Add(d)
		return func(int) bool { return !time.Now().Before(until) }
	}
	var c capacity
	err := pass(after(ramp))
	if err == nil {
		err = x.servers.analyze(ctx)
	}
	if err == nil {
		err = pass(after(0)) // whose completions come before what is counted
	}
	if err == nil {
		before, machine, first, start := x.cpu(), machineTime(), released, time.Now()
		err = pass(after(d))
		c = capacity{
			sagas: released - first, wall: time.Since(start), cpu: since(before, x.cpu()),
			machine: machineTime() - machine,
		}
	}
	enough()
	<-loaded
	if err != nil {
		return c, err
	}
	counts := l.Counts()
	if counts.Refused > 0 {
		return c, fmt.Errorf("%s refused %d orders: %w", x.name, counts.Refused, counts.Why)
	}
	late := time.Now().Add(settleWithin)
	return c, pass(func(completed int) bool { return completed-began >= counts.Accepted || time.Now().After(late) })
}
