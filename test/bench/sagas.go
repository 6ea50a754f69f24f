package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/load"
)

const (
	orderLines  = 3
	startWithin = time.Minute
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
	orders    []load.Accepted
	sagas     []load.Saga
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
	defer func() { err = errors.Join(err, p.Stop(syscall.SIGTERM)) }()
	if err := stock(ctx, p.Client, cfg.skus); err != nil {
		return fmt.Errorf("stock: %w", err)
	}
	w, err := load.Watch(ctx, p.Kafka, nil)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- w.Run(watching) }()
	defer func() { stop(); err = errors.Join(err, <-watched) }()

	l := load.New(load.Config{
		Order: p.Services["order"], Purchase: func(n int) client.Purchase { return purchase(n, cfg.skus) },
	})
	spent := func() map[string]time.Duration { return cpu(p.PID()) }
	if _, err := measure(ctx, spent, w, l, warmUpRate, warmUp); err != nil {
		return err
	}
	outcomes, err := climb(ctx, cfg, func(rate int) (outcome, error) {
		fmt.Fprintf(os.Stderr, "%d orders/s for %s …\n", rate, cfg.duration)
		return measure(ctx, spent, w, l, rate, cfg.duration)
	})
	if len(outcomes) > 0 {
		fmt.Print(sagaTable("embedded platform, SQLite", outcomes))
		if best, ok := highest(outcomes); ok {
			fmt.Print(stageTable(best), cpuTable(best))
		}
	}
	return err
}

// purchase is the nth order. Neighbours share no sku, so that a batch spreads over many.
func purchase(n, skus int) client.Purchase {
	var lines []client.Line
	for i := range orderLines {
		lines = append(lines, client.Line{SKU: sku((n*orderLines + i) % skus), Quantity: 1})
	}
	return client.Buy("tok_visa", lines...)
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

// measure puts a platform under load at one rate and waits until it has caught up. Spent is the processor time of its
// processes so far.
func measure(ctx context.Context, spent func() map[string]time.Duration, w *load.Watcher, l *load.Load, rate int,
	d time.Duration) (outcome, error) {
	before, machine := spent(), machineTime()
	done, failed := w.Count()
	started := time.Now()
	l.Run(ctx, rate, d)
	counts := l.Counts()
	o := outcome{rate: rate, duration: d, orders: l.Drain(), refused: counts.Refused, why: counts.Why}
	late := time.Since(started) - d
	now, _ := w.Count()
	o.behind = len(o.orders) - (now - done)

	deadline := time.Now().Add(settleWithin)
	for now-done < len(o.orders) && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return o, ctx.Err()
		case <-time.After(10 * time.Millisecond): // between two looks
		}
		now, o.failed = w.Count()
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
	o.cpu, o.machine = since(before, spent()), machineTime()-machine
	o.sagas = w.Find(o.orders)
	o.completed = completionRate(o)
	o.sustained = o.refused == 0 && late < maxBehind && float64(o.behind) <= maxBehind.Seconds()*float64(rate)
	return o, nil
}

// since is what each process has used between two looks.
func since(before, now map[string]time.Duration) map[string]time.Duration {
	used := make(map[string]time.Duration, len(now))
	for name, spent := range now {
		used[name] = spent - before[name]
	}
	return used
}

// completionRate is that of the whole: sagas over the time from the first order to the last completion.
func completionRate(o outcome) float64 {
	first, last := o.orders[0].Due, time.Time{}
	for i, s := range o.sagas {
		if o.orders[i].Due.Before(first) {
			first = o.orders[i].Due
		}
		if c := s.Completed(); c.After(last) {
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
