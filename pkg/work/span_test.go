package work_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func recorded() (*telemetry.Spans, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return telemetry.NewSpans(provider, recorder, resource.Empty()), recorder
}

// toldBy lists the spans that have ended, each with what it says of its message, but for those of batches.
func toldBy(recorder *tracetest.SpanRecorder) (told []string) {
	for _, span := range recorder.Ended() {
		if strings.HasSuffix(span.Name(), "batch") {
			continue
		}
		line := span.Name()
		for _, a := range span.Attributes() {
			if name := string(a.Key); name == "quadrille.outcome" || name == "quadrille.attempt" || name == "error.type" {
				line += fmt.Sprintf(" %v", a.Value.AsInterface())
			}
		}
		if span.Status().Code == codes.Error {
			line += " failed"
		}
		told = append(told, line)
	}
	return told
}

func traced(m work.Message[input]) work.Message[input] {
	m.Cause.Trace = traceparent
	return m
}

func TestASpanTellsWhatBecameOfItsMessage(t *testing.T) {
	spans, recorder := recorded()
	db := sqltest.SQLite(t)
	migrateToy(t, db)
	f := newFixture(t, db, newToy(), work.Config{Spans: spans})
	f.start(t)
	for _, tc := range []struct {
		name string
		hand func() error
		want []string
	}{
		{"a command", func() error { return do(t, f, traced(command("1", add{"a", 1}))) }, []string{"unit of work done"}},
		{"a copy of it", func() error { return do(t, f, traced(command("1", add{"a", 1}))) }, []string{"unit of work repeated"}},
		{"one that is refused", func() error { return do(t, f, traced(command("2", reject{"a"}))) }, []string{"unit of work refused"}},
		{"one without a trace", func() error { return do(t, f, command("3", add{"a", 1})) }, nil},
		{"events", func() error {
			good, bad, behind := withSpan(spans, consumed("4", add{"b", 1})), withSpan(spans, consumed("5", reject{"c"})),
				withSpan(spans, consumed("6", add{"c", 1}))
			f.take(t, good, bad, behind)
			return nil
		}, []string{"process source.events done", "process source.events set aside refused failed",
			"process source.events set aside behind"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(toldBy(recorder))
			if err := tc.hand(); err != nil && !errors.Is(err, errRejected) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, toldBy(recorder)[before:], equalIfEmpty); diff != "" {
				t.Error("spans (-want +got):\n" + diff)
			}
		})
	}
}

var equalIfEmpty = cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })

func do(t *testing.T, f *fixture, m work.Message[input]) error {
	_, err := f.Do(t.Context(), m)
	return err
}

// withSpan gives an event the span that a decoder would.
func withSpan(spans *telemetry.Spans, m work.Message[input]) work.Message[input] {
	m.Span = spans.Process(traceparent, telemetry.Message{Topic: m.Scope}, m.At)
	m.Cause.Trace = telemetry.TraceparentOf(m.Span.SpanContext())
	return m
}

// What a message leads to is a child of its span, not of the request's.
func TestFactsDescendFromTheSpanOfTheirMessage(t *testing.T) {
	spans, recorder := recorded()
	db := sqltest.SQLite(t)
	migrateToy(t, db)
	f := newFixture(t, db, newToy(), work.Config{Spans: spans})
	var facts []work.Fact[happened]
	f.OnCommit(func(of []work.Fact[happened]) { facts = slices.Clone(of) })
	f.start(t)
	if err := do(t, f, traced(command("1", add{"a", 1}))); err != nil {
		t.Fatal(err)
	}
	span := recorder.Ended()[0]
	if want := telemetry.TraceparentOf(span.SpanContext()); len(facts) != 1 || facts[0].Cause.Trace != want {
		t.Errorf("facts %+v, want one of %s", facts, want)
	}
	if parent := telemetry.TraceparentOf(span.Parent()); parent != traceparent {
		t.Errorf("the span is below %s, want %s", parent, traceparent)
	}
}

// A batch is no part of any order's trace: it and its messages name each other.
func TestATurnLinksTheMessagesThatShareIt(t *testing.T) {
	spans, recorder := recorded()
	db := sqltest.SQLite(t)
	migrateToy(t, db)
	f := newFixture(t, db, newToy(), work.Config{Spans: spans})
	stop := f.start(t)
	var messages []work.Message[input]
	for i := range 3 {
		messages = append(messages, withSpan(spans, consumed(fmt.Sprint(i), add{fmt.Sprint(i), 1})))
	}
	f.take(t, append(messages, consumed("untraced", add{"z", 1}))...)
	stop()
	all := recorder.Ended()
	batch := all[len(all)-1]
	if batch.Name() != "unit of work, batch" || len(batch.Links()) != len(messages) || batch.Parent().IsValid() {
		t.Fatalf("%s with %d links below %v", batch.Name(), len(batch.Links()), batch.Parent())
	}
	for i, span := range all[:len(all)-1] {
		if len(span.Links()) != 1 || span.Links()[0].SpanContext.SpanID() != batch.SpanContext().SpanID() {
			t.Errorf("message %d links to %v", i, span.Links())
		}
	}
}

// Of a message that is parked the log tells the ids by which it is found elsewhere, at debug of every one.
func TestLogLinesNameTheMessage(t *testing.T) {
	var log bytes.Buffer
	db := sqltest.SQLite(t)
	migrateToy(t, db)
	u := work.New(newToy().service(), db, work.Config{
		Logger: telemetry.Identified(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	bad := traced(consumed("5", reject{"c"}))
	bad.Cause = event.Cause{ID: "event", Correlation: "correlation", Trace: traceparent}
	if _, err := u.Take(ctx, []work.Message[input]{bad}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var levels []string
	for line := range bytes.Lines(log.Bytes()) {
		var said map[string]any
		if err := json.Unmarshal(line, &said); err != nil {
			t.Fatal(err)
		}
		levels = append(levels, said["level"].(string))
		for name, want := range map[string]string{
			"trace_id": traceparent[3:35], "span_id": traceparent[36:52], "correlation_id": "correlation",
			"event_id": "event", "key": "c",
		} {
			if said[name] != want {
				t.Errorf("%s is %v, want %s: %s", name, said[name], want, line)
			}
		}
	}
	if want := []string{"ERROR", "DEBUG"}; !slices.Equal(levels, want) {
		t.Errorf("levels %q, want %q", levels, want)
	}
}
