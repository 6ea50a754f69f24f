package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// errNotBegun ends a call that was leased and not made: it waited for its turn for too long, the stop came first, or
// the outside went away meanwhile.
var errNotBegun = errors.New("not begun")

// maxLeased bounds the calls that are leased, as a multiple of those that run.
const maxLeased = 8

// CallsConfig says which calls a service makes and how.
type CallsConfig[C, I any] struct {
	// Outside names who is called, for logs and metrics.
	Outside string
	// Claim ends the leases of ended calls, leases at most limit calls that are due and have no live lease, commits,
	// and returns them. The claim number of each is one higher than that of the call before it.
	Claim func(ctx context.Context, ended []Ended[C], now time.Time, limit int) ([]C, error)
	// Perform makes the call and returns its answer. An error means that the outcome is unknown: the call is claimed
	// again when Claim finds it due. The context ends after Timeout.
	Perform func(ctx context.Context, call C) (Message[I], error)
	// Do is the Unit's. An answer that it does not take is handed in again for as long as the call is leased.
	Do func(ctx context.Context, m Message[I]) (Receipt, error)
	// Away reports whether an error of Perform says that the outside as a whole is away, rather than that one call got
	// no answer. After 5 such calls in a row none is claimed any more, nor does one that is leased begin; every 2 s one
	// finds out whether the outside is back. Defaults to never.
	Away func(error) bool
	// Timeout is what a call may take, once its turn has come. Defaults to no limit.
	Timeout time.Duration
	// Limit is how many calls run at a time, which bounds what an outside that hangs can hold up. Up to 8 times as many
	// are leased: those about to run and those whose answers wait to be taken included. Defaults to 64.
	Limit int
	// Lease is how long a call is leased, longer than Timeout; see LeaseOf. One that has waited for its turn for half
	// of what Timeout leaves of it is not made but given back, so that none is under way that another process may
	// claim. Defaults to never.
	Lease time.Duration
	// Every is the time between looks when nothing wakes it. While no call succeeds looks become rarer, down to one in
	// 5 s, and no wake counts. Defaults to 200 ms.
	Every time.Duration
	// Drain bounds the calls under way, and the taking of their answers, when the calls stop. Defaults to 10 s.
	Drain time.Duration
	// GiveBack bounds the last claim, which only ends leases when the calls stop. Defaults to 2 s.
	GiveBack time.Duration
	// Clock defaults to time.Now, Logger to slog.Default(), Metrics to none.
	Clock   func() time.Time
	Logger  *slog.Logger
	Metrics *CallsMetrics
}

// Calls makes calls to the outside world with no transaction open: a claim is committed as a lease, the call runs, and
// its answer enters through the Unit as a message of scope ScopeCall. Nothing is lost if the process dies in between:
// the lease runs out and the call is claimed again, under the same idempotency key.
type Calls[C, I any] struct {
	cfg     CallsConfig[C, I]
	woken   chan struct{}
	breaker *breaker
	pace    pace
	mu      sync.Mutex
	ended   []Ended[C]
}

// Ended is a call whose lease is no longer needed. Err is nil if its answer was taken.
type Ended[C any] struct {
	Call C
	Err  error
}

// NewCalls returns Calls that make none until Run.
func NewCalls[C, I any](cfg CallsConfig[C, I]) *Calls[C, I] {
	if cfg.Away == nil {
		cfg.Away = func(error) bool { return false }
	}
	if cfg.Limit == 0 {
		cfg.Limit = 64
	}
	if cfg.Every == 0 {
		cfg.Every = 200 * time.Millisecond
	}
	if cfg.Drain == 0 {
		cfg.Drain = 10 * time.Second
	}
	if cfg.GiveBack == 0 {
		cfg.GiveBack = 2 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = noCallsMetrics()
	}
	c := &Calls[C, I]{cfg: cfg, woken: make(chan struct{}, 1)}
	c.breaker = newBreaker(breakerConfig{
		outside: cfg.Outside, away: cfg.Away, changed: c.Wake, logger: cfg.Logger, metrics: cfg.Metrics,
	})
	return c
}

// Wake makes it look for due calls now. It never blocks.
func (c *Calls[C, I]) Wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// Run makes calls until ctx ends. Then it waits for those under way and their answers, for no longer than Drain, and
// gives all leases back. A call that was cut off halfway would be made twice.
func (c *Calls[C, I]) Run(ctx context.Context) error {
	begun, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var running sync.WaitGroup
	defer func() {
		drain := time.AfterFunc(c.cfg.Drain, abandon)
		running.Wait()
		drain.Stop()
		c.pace.tell(c.cfg.Logger, 0)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.GiveBack)
		defer cancel()
		if _, err := c.claim(last, 0); err != nil {
			c.cfg.Logger.Warn("leases of outside calls run out by themselves", "error", err)
		}
	}()
	// More are leased than run: neither an answer that waits for its transaction nor the next claim, which may have to
	// wait for one too, keeps calls from being made.
	leased := make(chan struct{}, maxLeased*c.cfg.Limit)
	calling := make(chan struct{}, c.cfg.Limit)
	ticker := time.NewTicker(c.cfg.Every)
	defer ticker.Stop()
	var looked time.Time
	var repeats telemetry.Repeats
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.woken:
		case <-ticker.C:
		}
		if ctx.Err() != nil {
			return nil // what is given back wakes it too
		}
		c.pace.tell(c.cfg.Logger, c.cfg.Every)
		if time.Since(looked) < c.pace.hold(c.cfg.Every, c.cfg.Limit) {
			continue
		}
		looked = time.Now()
		claimed := c.cfg.Clock()
		room, told := c.breaker.room(cap(leased) - len(leased))
		calls, err := c.claim(ctx, room)
		if err != nil && ctx.Err() == nil && repeats.Due(err.Error()) {
			c.cfg.Logger.Warn("outside calls wait", "error", err)
		}
		if len(calls) == 0 && told != nil {
			told(errNotBegun)
		}
		for _, call := range calls {
			leased <- struct{}{}
			running.Go(func() {
				defer func() { <-leased; c.Wake() }()
				c.end(call, c.serve(ctx, begun, call, claimed, calling, told))
			})
		}
	}
}

// serve makes a call when its turn has come and has its answer taken.
func (c *Calls[C, I]) serve(ctx, begun context.Context, call C, claimed time.Time, calling chan struct{},
	told func(error)) error {
	answer, err := c.perform(ctx, begun, call, claimed, calling, told)
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.CallAnswered)
	return c.take(begun, answer, claimed)
}

// perform waits for a call's turn, unless ctx ends, and makes it if the breaker lets it, which told says it has done
// already.
func (c *Calls[C, I]) perform(ctx, begun context.Context, call C, claimed time.Time, calling chan struct{},
	told func(error)) (answer Message[I], err error) {
	defer func() {
		if told != nil {
			told(err)
		}
	}()
	select {
	case <-ctx.Done():
		return answer, errNotBegun
	case calling <- struct{}{}:
	}
	defer func() { <-calling }()
	if ctx.Err() != nil || c.late(claimed) {
		return answer, errNotBegun
	}
	if told == nil {
		if told, err = c.breaker.allow(); err != nil {
			return answer, errNotBegun
		}
	}
	c.cfg.Metrics.run(c.cfg.Outside, 1)
	defer c.cfg.Metrics.run(c.cfg.Outside, -1)
	if c.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		begun, cancel = context.WithTimeout(begun, c.cfg.Timeout)
		defer cancel()
	}
	failpoint.Hit(failpoint.CallClaimed)
	return c.cfg.Perform(begun, call)
}

// claim passes on what ended, and keeps it if that fails.
func (c *Calls[C, I]) claim(ctx context.Context, limit int) ([]C, error) {
	c.mu.Lock()
	ended := c.ended
	c.ended = nil
	c.mu.Unlock()
	calls, err := c.cfg.Claim(ctx, ended, event.Now(c.cfg.Clock), limit)
	if err != nil {
		c.mu.Lock()
		c.ended = append(ended, c.ended...)
		c.mu.Unlock()
	}
	return calls, err
}

// late reports whether too much of a lease is over for its call to be begun.
func (c *Calls[C, I]) late(claimed time.Time) bool {
	return c.cfg.Lease > 0 && c.cfg.Clock().Sub(claimed) >= (c.cfg.Lease-c.cfg.Timeout)/2
}

// take hands in an answer until it is taken, or until its call may be claimed again.
func (c *Calls[C, I]) take(ctx context.Context, answer Message[I], claimed time.Time) error {
	for attempt := 1; ; attempt++ {
		_, err := c.cfg.Do(ctx, answer)
		if err == nil || errors.Is(err, ErrStopped) || errors.Is(err, ErrParked) || errors.Is(err, ErrDead) {
			return err
		}
		pause(ctx, attempt, maxOutagePause)
		if ctx.Err() != nil || c.cfg.Lease > 0 && c.cfg.Clock().Sub(claimed) >= c.cfg.Lease {
			return err
		}
	}
}

func (c *Calls[C, I]) end(call C, err error) {
	switch {
	case err == nil:
		failpoint.Hit(failpoint.CallTaken)
		c.pace.succeeded()
	case errors.Is(err, errNotBegun) || c.cfg.Away(err) && !c.breaker.closed(): // which the breaker told
	default:
		c.pace.fail(err)
	}
	c.cfg.Metrics.end(c.cfg.Outside, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, Ended[C]{call, err})
}
