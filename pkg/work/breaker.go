package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// tripAfter is how many calls in a row must find the outside away before it is left alone.
	tripAfter = 5
	// probeAfter is how long it is left alone before one call finds out whether it is back.
	probeAfter = 2 * time.Second
)

// breaker keeps calls from an outside that is away. Claims ask it first, so that no lease is spent on a call that would
// not be made: while it is open nothing is claimed, then one call at a time until one gets through.
type breaker struct {
	circuit *gobreaker.TwoStepCircuitBreaker[struct{}]
	away    func(error) bool
	mu      sync.Mutex
	last    error // with which the outside was found away
}

// newBreaker returns a closed one. Changed must not block.
func newBreaker(cfg breakerConfig) *breaker {
	b := &breaker{away: cfg.away}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: cfg.outside, MaxRequests: 1, Timeout: probeAfter,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool { return !b.isAway(err) },
		// Neither tells anything of the outside.
		IsExcluded: func(err error) bool { return errors.Is(err, errNotBegun) || errors.Is(err, context.Canceled) },
		OnStateChange: func(outside string, from, to gobreaker.State) {
			cfg.metrics.breaker(outside, to)
			switch {
			case from == gobreaker.StateClosed:
				cfg.logger.Warn("outside is away, calls wait", "outside", outside, "error", b.lastError())
			case to == gobreaker.StateClosed:
				cfg.logger.Info("outside answers again", "outside", outside)
			}
			cfg.changed()
		},
	})
	cfg.metrics.breaker(cfg.outside, gobreaker.StateClosed)
	return b
}

type breakerConfig struct {
	outside string
	// away reports whether an error says that the outside is away.
	away    func(error) bool
	changed func()
	logger  *slog.Logger
	metrics *CallsMetrics
}

// closed reports whether calls are made as they come.
func (b *breaker) closed() bool { return b.circuit.State() == gobreaker.StateClosed }

// room returns how many of limit calls may be claimed. If it is the one that finds out whether the outside is back,
// told must be called with how that went, errNotBegun if it was not made.
func (b *breaker) room(limit int) (n int, told func(error)) {
	if limit <= 0 {
		return 0, nil
	}
	switch b.circuit.State() {
	case gobreaker.StateClosed:
		return limit, nil
	case gobreaker.StateOpen:
		return 0, nil
	}
	told, err := b.allow()
	if err != nil { // another is finding out
		return 0, nil
	}
	return 1, told
}

// allow lets a call be made that was claimed while it could. Told must be called with how it went.
func (b *breaker) allow() (told func(error), err error) {
	done, err := b.circuit.Allow()
	if err != nil {
		return nil, err
	}
	return func(err error) {
		if b.isAway(err) {
			b.mu.Lock()
			b.last = err
			b.mu.Unlock()
		}
		done(err)
	}, nil
}

func (b *breaker) isAway(err error) bool { return err != nil && b.away(err) }

func (b *breaker) lastError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}
