package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// lowRate shows the latency of sagas that share next to no transaction; firstRate is doubled from there on.
	lowRate   = 25
	firstRate = 100
	// settleWithin is how long after the load the last sagas may take. A rate whose sagas take longer, or of which more
	// than maxBehind was incomplete when the load ended, is not sustained.
	settleWithin = 30 * time.Second
	maxBehind    = time.Second
	warmUp       = 2 * time.Second
	warmUpRate   = 50
)

// outcome of one rate.
type outcome struct {
	rate      int
	duration  time.Duration
	orders    []placed
	sagas     []saga
	refused   int
	why       error
	failed    int
	behind    int // sagas that were incomplete when the load ended
	completed float64
	sustained bool
	cpu       map[string]time.Duration
	machine   time.Duration // processor time of all programs
}

// sagas measures whole sagas on the embedded platform and prints a row a rate, and where the time of the highest
// sustained one went.
func sagas(ctx context.Context, cfg config) (err error) {
	p, err := up(ctx, cfg.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.stock(ctx, cfg.skus); err != nil {
		return fmt.Errorf("stock: %w", err)
	}
	w, err := newWatcher(p.Kafka)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- w.run(watching) }()
	defer func() { stop(); err = errors.Join(err, <-watched) }()

	l := newLoad(p.Services["order"], cfg.skus)
	if _, err := measure(ctx, p, w, l, warmUpRate, warmUp); err != nil {
		return err
	}
	outcomes, err := climb(ctx, cfg, func(rate int) (outcome, error) {
		fmt.Fprintf(os.Stderr, "%d orders/s for %s …\n", rate, cfg.duration)
		return measure(ctx, p, w, l, rate, cfg.duration)
	})
	if len(outcomes) > 0 {
		fmt.Print(sagaTable(outcomes))
		if best, ok := highest(outcomes); ok {
			fmt.Print(stageTable(best), cpuTable(best))
		}
	}
	return err
}

// climb measures the rate asked for, or doubles it until it is not sustained and then tries the middle.
func climb(ctx context.Context, cfg config, try func(rate int) (outcome, error)) (all []outcome, err error) {
	if cfg.rate > 0 {
		one, err := try(cfg.rate)
		return []outcome{one}, err
	}
	rates := []int{lowRate}
	for rate := firstRate; rate <= 1<<20; rate *= 2 {
		rates = append(rates, rate)
	}
	if cfg.quick {
		rates = []int{lowRate, 400}
	}
	for _, rate := range rates {
		one, err := try(rate)
		if err != nil {
			return all, err
		}
		all = append(all, one)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if !one.sustained {
			break
		}
	}
	if last := all[len(all)-1]; !last.sustained && last.rate > firstRate && !cfg.quick {
		one, err := try(last.rate * 3 / 4)
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// measure puts the platform under load at one rate and waits until it has caught up.
func measure(ctx context.Context, p *platform, w *watcher, l *load, rate int, d time.Duration) (outcome, error) {
	before, machine := cpu(p.cmd.Process.Pid), machineTime()
	done, failed := w.count()
	started := time.Now()
	l.run(ctx, rate, d)
	o := outcome{rate: rate, duration: d, orders: l.placed, refused: l.refused, why: l.why}
	late := time.Since(started) - d
	now, _ := w.count()
	o.behind = len(o.orders) - (now - done)

	deadline := time.Now().Add(settleWithin)
	for now-done < len(o.orders) && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return o, ctx.Err()
		case <-time.After(10 * time.Millisecond): // between two looks
		}
		now, o.failed = w.count()
	}
	if o.failed -= failed; o.failed > 0 {
		return o, fmt.Errorf("at %d orders/s %d events tell of sagas that went wrong", rate, o.failed)
	}
	if len(o.orders) == 0 {
		return o, fmt.Errorf("no order was accepted: %w", o.why)
	}
	if now-done < len(o.orders) {
		return o, fmt.Errorf("at %d orders/s %d of %d sagas did not complete within %s",
			rate, len(o.orders)-(now-done), len(o.orders), settleWithin)
	}
	o.cpu, o.machine = cpu(p.cmd.Process.Pid), machineTime()-machine
	for name, spent := range before {
		o.cpu[name] -= spent
	}
	o.sagas = w.find(o.orders)
	o.completed = completionRate(o)
	o.sustained = o.refused == 0 && late < maxBehind && float64(o.behind) <= maxBehind.Seconds()*float64(rate)
	return o, nil
}

// completionRate is that of the whole: sagas over the time from the first order to the last completion.
func completionRate(o outcome) float64 {
	first, last := o.orders[0].due, time.Time{}
	for i, s := range o.sagas {
		if o.orders[i].due.Before(first) {
			first = o.orders[i].due
		}
		if c := s.completed(); c.After(last) {
			last = c
		}
	}
	return float64(len(o.sagas)) / last.Sub(first).Seconds()
}

func highest(outcomes []outcome) (best outcome, ok bool) {
	for _, o := range outcomes {
		if o.sustained && o.rate >= best.rate {
			best, ok = o, true
		}
	}
	return best, ok
}
