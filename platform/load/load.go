// Package load puts a running platform under load and watches what becomes of each order. The load is an open loop:
// orders go out when they are due, whatever becomes of the earlier ones, and every latency counts from the instant at
// which an order was due. A platform that stalls is charged for all that would have come meanwhile.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	// tick is how often the load looks for what is due.
	tick = time.Millisecond
	// grace is how long a load that is cut short waits for the answers to what it has sent.
	grace   = 5 * time.Second
	timeout = time.Minute
)

// Config says what is ordered, and where.
type Config struct {
	// Order is the host and port of the order service.
	Order string
	// Purchase is the nth order, from 0.
	Purchase func(n int) client.Purchase
	// MaxWaiting bounds the requests under way. What is due beyond it goes out late, and its latency counts from when
	// it was due. Defaults to 1024.
	MaxWaiting int
	// Overrun is how long after the end of a run what was due may still go out; the rest is never sent. Defaults to for
	// ever.
	Overrun time.Duration
	// Transport carries the requests; tests put one in memory here. Defaults to one that keeps MaxWaiting connections.
	Transport http.RoundTripper
}

// Load places orders at a fixed rate. Its methods may be called while it runs.
type Load struct {
	cfg    Config
	client *http.Client

	mu       sync.Mutex
	accepted []Accepted
	counts   Counts
}

// Accepted is an order that the platform has taken.
type Accepted struct {
	ID string
	// Due is when the load asked for it, Answered when the answer had come.
	Due, Answered time.Time
}

// New returns a Load that has placed nothing yet.
func New(cfg Config) *Load {
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = 1024
	}
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{
			MaxIdleConns: cfg.MaxWaiting, MaxIdleConnsPerHost: cfg.MaxWaiting, DisableCompression: true,
		}
	}
	return &Load{cfg: cfg, client: &http.Client{Timeout: timeout, Transport: cfg.Transport}}
}

// Run places rate orders a second for d, or until ctx ends, and returns once all of them are answered. It starts the
// counts anew.
func (l *Load) Run(ctx context.Context, rate int, d time.Duration) {
	l.mu.Lock()
	l.accepted, l.counts = nil, Counts{Refusals: make(map[string]int)}
	l.mu.Unlock()

	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var running sync.WaitGroup
	l.send(ctx, rate, d, func(n int, due time.Time, answered func()) {
		running.Go(func() {
			defer answered()
			l.place(requests, n, due)
		})
	})
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	running.Wait()
}

// send hands each order to place when it is due, or as soon as fewer than MaxWaiting are unanswered.
func (l *Load) send(ctx context.Context, rate int, d time.Duration, place func(int, time.Time, func())) {
	waiting := make(chan struct{}, l.cfg.MaxWaiting)
	answered := func() { <-waiting }
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	started := time.Now()
	var over <-chan time.Time
	if l.cfg.Overrun > 0 {
		over = time.After(d + l.cfg.Overrun)
	}
	total := int(d.Seconds() * float64(rate))
	for n := 0; n < total; {
		due := min(int(time.Since(started).Seconds()*float64(rate))+1, total)
		for ; n < due; n++ {
			at := started.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
			select {
			case waiting <- struct{}{}:
			case <-over:
				l.unsent(total - n)
				return
			case <-ctx.Done():
				return
			}
			l.sent(time.Since(at))
			place(n, at, answered)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Drain returns the orders that were accepted since the last Drain of this run.
func (l *Load) Drain() []Accepted {
	l.mu.Lock()
	defer l.mu.Unlock()
	accepted := l.accepted
	l.accepted = nil
	return accepted
}

func (l *Load) place(ctx context.Context, n int, due time.Time) {
	id, refusal, err := l.post(ctx, l.cfg.Purchase(n))
	answered := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Waiting--
	if err == nil {
		l.counts.Accepted++
		l.accepted = append(l.accepted, Accepted{id, due, answered})
		return
	}
	l.counts.Refused++
	l.counts.Refusals[refusal]++
	if l.counts.Why == nil {
		l.counts.Why = err
	}
}

// post returns the id of the order that it placed, or what it was told instead.
func (l *Load) post(ctx context.Context, p client.Purchase) (id, refusal string, err error) {
	const unanswered = "no answer"
	body, err := json.Marshal(p)
	if err != nil {
		return "", unanswered, err
	}
	url := "http://" + l.cfg.Order + "/v1/orders"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", unanswered, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := l.client.Do(req)
	if err != nil {
		return "", unanswered, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return "", unanswered, err
	}
	if res.StatusCode != http.StatusAccepted {
		return "", res.Status, fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(answer))
	}
	id, found := strings.CutPrefix(res.Header.Get("Location"), "/v1/orders/")
	if !found {
		return "", res.Status, errors.New("the answer names no order")
	}
	return id, "", nil
}
