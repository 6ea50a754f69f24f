package order

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// seconds are the bounds of a saga's histograms: a happy one takes milliseconds, one whose gateway is away minutes.
var seconds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// pace measures sagas as they begin, go on and end. It folds what was committed into copies of the orders that Load
// returned for it. What commits unannounced, see work.Unit.OnCommit, is not measured.
type pace struct {
	started        metric.Int64Counter
	ended, stepped metric.Float64Histogram

	mu     sync.Mutex
	before map[string]order.Order // as the batch under way found them; nil: nobody measures
}

// watch measures what p commits, until the end of the context.
func (p *pace) watch(parts *api.Parts) func(context.Context) error {
	err := p.measure(parts.Telemetry.Meter.Meter("quadrille"))
	if err == nil {
		parts.Unit.OnCommit(p.committed)
	}
	return func(ctx context.Context) error {
		if err == nil {
			<-ctx.Done()
		}
		return err
	}
}

// measure registers the instruments quadrille.sagas.started, quadrille.sagas.duration (s, by outcome and reason) and
// quadrille.sagas.step.duration (s, by service and answer).
func (p *pace) measure(meter metric.Meter) error {
	var err1, err2, err3 error
	p.started, err1 = meter.Int64Counter("quadrille.sagas.started", metric.WithUnit("{order}"),
		metric.WithDescription("Orders placed."))
	p.ended, err2 = meter.Float64Histogram("quadrille.sagas.duration", metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(seconds...), metric.WithDescription(
			"From an order, or the cancellation of one whose saga had ended, to the last answer, by how it ended."))
	p.stepped, err3 = meter.Float64Histogram("quadrille.sagas.step.duration", metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(seconds...), metric.WithDescription(
			"From the status that asked for it to the answer of another service, by answer."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("metrics of sagas: %w", err)
	}
	p.started.Add(context.Background(), 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = make(map[string]order.Order)
	return nil
}

type loader = func(context.Context, *sqldb.Tx, []order.Message) (*order.Book, error)

// loads returns load, remembering what it found.
func (p *pace) loads(load loader) loader {
	return func(ctx context.Context, tx *sqldb.Tx, inputs []order.Message) (*order.Book, error) {
		book, err := load(ctx, tx, inputs)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil || p.before == nil {
			return book, err
		}
		clear(p.before)
		for id, o := range book.Orders {
			if o != nil {
				p.before[id] = *o
			}
		}
		return book, nil
	}
}

// committed measures what came of the orders that were loaded last.
func (p *pace) committed(facts []work.Fact[order.Event]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx := context.Background()
	for _, fact := range facts {
		id := fact.Event.Header().OrderID
		o := p.before[id]
		open := !o.Completed()
		o.Apply(fact.Event)
		p.before[id] = o
		at := fact.Event.Header().At
		if _, placed := fact.Event.(order.Placed); placed {
			p.started.Add(ctx, 1)
		}
		if answer, ok := fact.Event.(order.Answer); ok && !asked(&o, answer).IsZero() {
			p.stepped.Record(ctx, at.Sub(asked(&o, answer)).Seconds(), metric.WithAttributes(
				attribute.String("service", answer.By()), attribute.String("answer", answer.Type())))
		}
		if open && o.Completed() {
			p.ended.Record(ctx, at.Sub(begun(&o)).Seconds(), metric.WithAttributes(
				attribute.String("outcome", string(o.Status)), attribute.String("reason", string(o.Reason))))
		}
	}
}

// asked is when the order came to the status whose answer it is.
func asked(o *order.Order, answer order.Answer) time.Time {
	switch answer.(type) {
	case order.StockCommitted, order.PaymentCaptured, order.PaymentCaptureFailed:
		return o.ConfirmedAt
	case order.StockReleased, order.PaymentVoided, order.PaymentRefunded:
		return o.CancelledAt
	default:
		return o.PlacedAt
	}
}

// begun is when the saga that has ended now began: with the order, or with the cancellation of one that was confirmed
// and done with.
func begun(o *order.Order) time.Time {
	sold := !o.Stock.Committed.IsZero() && !o.Payment.Captured.IsZero()
	if o.Status == order.StatusCancelled && sold &&
		!o.CancelledAt.Before(o.Stock.Committed) && !o.CancelledAt.Before(o.Payment.Captured) {
		return o.CancelledAt
	}
	return o.PlacedAt
}
