package main

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/load"
)

func TestParseResult(t *testing.T) {
	tests := map[string]struct {
		line   string
		want   result
		figure float64
		ok     bool
	}{
		"handler": {
			"BenchmarkHandler/postgres/batch=500/unit-2   \t   6\t     17509 events/s",
			result{"order", "Handler", "postgres", 500, "unit"}, 17509, true,
		},
		"callers, behind the time an operation": {
			"BenchmarkPlace/sqlite/callers=128-2   9891   111846 ns/op   8941 orders/s",
			result{"order", "Place", "sqlite", 128, ""}, 8941, true,
		},
		"one processor": {
			"BenchmarkHandler/sqlite/batch=1/plain 1 330.5 events/s",
			result{"order", "Handler", "sqlite", 1, "plain"}, 330.5, true,
		},
		"log of a benchmark":     {line: "    database.go:53: durability: SHOW fsync: on"},
		"result without a rate":  {line: "BenchmarkHandler/sqlite/batch=1/unit-2 1 123 ns/op"},
		"bytes a second":         {line: "BenchmarkHandler/sqlite/batch=1/unit-2 1 123 MB/s"},
		"benchmark of elsewhere": {line: "BenchmarkEncode-2 1 123 events/s"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, figure, ok := parseResult("order", test.line)
			if ok != test.ok || ok && (got != test.want || figure != test.figure) {
				t.Errorf("got %+v, %v, %t; want %+v, %v, %t", got, figure, ok, test.want, test.figure, test.ok)
			}
		})
	}
}

func TestStagesAddUpToTheWholeWay(t *testing.T) {
	due := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var s load.Saga
	for n := range load.Confirmed {
		s.At[n] = load.Moment{
			Arrived:   due.Add(time.Duration(2*n+1) * time.Millisecond),
			Published: due.Add(time.Duration(2*n+2) * time.Millisecond),
		}
	}
	o := outcome{orders: []load.Accepted{{ID: "a", Due: due}}, sagas: []load.Saga{s}}
	whole := time.Duration(0)
	for _, stage := range toConfirmed {
		whole += mean(spans(o, stage))
	}
	if want := s.Decided().Sub(due); whole != want {
		t.Errorf("the stages to confirmation add up to %s, not %s", whole, want)
	}
	for _, stage := range toCompleted {
		whole += mean(spans(o, stage))
	}
	if want := s.Completed().Sub(due); whole != want {
		t.Errorf("the stages to completion add up to %s, not %s", whole, want)
	}
}

func TestClimbTriesTheMiddleBelowTheFirstRateThatFails(t *testing.T) {
	var tried []int
	all, err := climb(t.Context(), config{}, func(rate int) (outcome, error) {
		tried = append(tried, rate)
		return outcome{rate: rate, sustained: rate <= 700}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	best, ok := highest(all)
	if len(tried) != 6 || tried[4] != 800 || !ok || best.rate != 600 {
		t.Errorf("tried %v, best %d", tried, best.rate)
	}
}
