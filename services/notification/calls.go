package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/notification/internal/api"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/smtp"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

// calls makes what sends a mail whenever a commit left one due.
func calls(p *api.Parts, cfg Config) func(context.Context) error {
	client, err := cfg.client()
	if err != nil {
		return func(context.Context) error { return err }
	}
	s := sender{
		client: client, clock: p.Config.Clock, giveUpAfter: cfg.MailGiveUpAfter,
		spans: p.Telemetry.Spans, server: cfg.SMTPAddr,
	}
	metrics, err := work.NewCallsMetrics(p.Telemetry.Meter.Meter("quadrille"))
	if err != nil {
		return func(context.Context) error { return err }
	}
	leases := store.Leases(work.LeaseOf(cfg.SMTPTimeout, cfg.SMTPTimeout))
	c := work.NewCalls(work.CallsConfig[store.Call, store.Message]{
		Outside: "smtp",
		Claim: func(ctx context.Context, ended []work.Ended[store.Call], now time.Time, limit int) (
			[]store.Call, error) {
			return leases.Claim(ctx, p.DB, ended, now, limit)
		},
		Away:    func(err error) bool { return errors.Is(err, smtp.ErrAway) },
		Perform: s.perform, Do: p.Unit.Do, Timeout: cfg.SMTPTimeout, Limit: cfg.MailLimit, Lease: leases.Length,
		Drain: p.Config.Drain, Clock: p.Config.Clock, Logger: p.Telemetry.Logger, Metrics: metrics,
	})
	p.Unit.OnCommit(func([]work.Fact[mail.Event]) { c.Wake() })
	return func(ctx context.Context) error {
		defer client.Close()
		return c.Run(ctx)
	}
}

// sender makes one attempt at a mail.
type sender struct {
	client      *smtp.Client
	clock       func() time.Time
	giveUpAfter time.Duration
	spans       *telemetry.Spans
	server      string
}

// perform sends the mail. One that could not be sent is tried again until its time is over: then it has expired, and is
// not sent any more even if the server would take it. Were the answer the one that cannot be saved, it would go out for
// ever.
func (s sender) perform(ctx context.Context, call store.Call) (work.Message[store.Message], error) {
	ctx, span := s.spans.Call(ctx, call.Origin.Trace, "mail "+string(call.Kind), trace.SpanKindClient,
		attribute.String("server.address", s.server), attribute.String("quadrille.key", call.OrderID),
		attribute.Int64("quadrille.claim", call.Claim))
	defer span.End()
	outcome := mail.Expired
	if !s.isOver(call) {
		var err error
		outcome, err = s.client.Send(ctx, call.Call)
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
			if errors.Is(ctx.Err(), context.Canceled) || !s.isOver(call) {
				return work.Message[store.Message]{}, fmt.Errorf("%s of order %s, attempt %d: %w", call.Kind,
					call.OrderID, call.Claim, err)
			}
			outcome = mail.Expired
		}
	}
	span.SetAttributes(attribute.String("quadrille.mail.outcome", string(outcome)))
	call.Origin.Trace = telemetry.Traceparent(ctx) // the answer belongs below the call
	return answered(call, outcome, event.Now(s.clock)), nil
}

func (s sender) isOver(call store.Call) bool { return s.clock().Sub(call.Due) >= s.giveUpAfter }

// answered makes the message of an outcome.
func answered(call store.Call, outcome mail.Outcome, now time.Time) work.Message[store.Message] {
	return work.AnswerMessage(call, string(call.Kind), []byte(outcome), now,
		call.Origin.Correlation, call.Origin.Trace, store.Message{
			Message: mail.Answer{OrderID: call.OrderID, Kind: call.Kind, Outcome: outcome, At: now},
			Origin:  call.Origin,
		})
}
