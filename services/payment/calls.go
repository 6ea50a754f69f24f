package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/api"
	"github.com/quadrille-platform/quadrille/services/payment/internal/gateway"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// calls makes what calls the gateway whenever a commit left a call due.
func calls(p *api.Parts, cfg Config) func(context.Context) error {
	client, err := gateway.New(gateway.Config{
		URL: cfg.GatewayURL, Timeout: cfg.GatewayTimeout, Connections: cfg.CallLimit, Dial: cfg.Dial,
		Wrap: func(t http.RoundTripper) http.RoundTripper { return instrumented(t, p.Telemetry) },
	})
	if err != nil {
		return func(context.Context) error { return err }
	}
	metrics, err := work.NewCallsMetrics(p.Telemetry.Meter.Meter("quadrille"))
	if err != nil {
		return func(context.Context) error { return err }
	}
	longest := gateway.CallTime(cfg.GatewayTimeout)
	leases := store.Leases(work.LeaseOf(longest, cfg.GatewayTimeout))
	c := work.NewCalls(work.CallsConfig[store.Call, store.Message]{
		Outside: "gateway",
		Claim: func(ctx context.Context, ended []work.Ended[store.Call], now time.Time, limit int) (
			[]store.Call, error) {
			return leases.Claim(ctx, p.DB, ended, now, limit)
		},
		Perform: func(ctx context.Context, call store.Call) (work.Message[store.Message], error) {
			ctx, span := p.Telemetry.Spans.Call(ctx, call.Origin.Trace, string(call.Operation)+" payment",
				trace.SpanKindInternal, attribute.String("quadrille.key", call.OrderID),
				attribute.Int64("quadrille.claim", call.Claim))
			defer span.End()
			answer, err := client.Perform(ctx, call.Call, call.Intent)
			if err != nil {
				err = fmt.Errorf("call %d of order %s: %w", call.Claim, call.OrderID, err)
				span.SetStatus(codes.Error, err.Error())
				return work.Message[store.Message]{}, err
			}
			span.SetAttributes(attribute.String("quadrille.refusal", string(answer.Refusal)))
			call.Origin.Trace = telemetry.Traceparent(ctx) // the answer belongs below the call
			return answered(call, answer, event.Now(p.Config.Clock))
		},
		Away: func(err error) bool { return errors.Is(err, gateway.ErrAway) },
		Do:   p.Unit.Do, Timeout: longest, Limit: cfg.CallLimit, Lease: leases.Length, Drain: p.Config.Drain,
		Clock: p.Config.Clock, Logger: p.Telemetry.Logger, Metrics: metrics,
	})
	p.Unit.OnCommit(func([]work.Fact[payment.Event]) { c.Wake() })
	return func(ctx context.Context) error {
		defer client.Close()
		return c.Run(ctx)
	}
}

// answered makes the message of an answer.
func answered(call store.Call, answer payment.Answer, now time.Time) (work.Message[store.Message], error) {
	said, err := json.Marshal(answer) // without a time: the same answer has the same digest
	if err != nil {
		return work.Message[store.Message]{}, fmt.Errorf("digest of an answer: %w", err)
	}
	answer.At = now
	return work.AnswerMessage(call, string(call.Operation), said, now,
		call.Origin.Correlation, call.Origin.Trace, store.Message{Message: answer, Origin: call.Origin}), nil
}

// instrumented traces and measures requests, each as a part of the trace of its order.
func instrumented(t http.RoundTripper, tel *telemetry.Telemetry) http.RoundTripper {
	return otelhttp.NewTransport(t, otelhttp.WithTracerProvider(tel.Tracer), otelhttp.WithMeterProvider(tel.Meter),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method }))
}
