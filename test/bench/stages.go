package main

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/quadrille-platform/quadrille/platform/load"
)

// stage is a part of a saga's way: from one instant to the next.
type stage struct {
	name     string
	from, to func(due time.Time, s *load.Saga) time.Time
}

func start(due time.Time, _ *load.Saga) time.Time { return due }

func arrived(n load.Step) func(time.Time, *load.Saga) time.Time {
	return func(_ time.Time, s *load.Saga) time.Time { return s.At[n].Arrived }
}

func published(n load.Step) func(time.Time, *load.Saga) time.Time {
	return func(_ time.Time, s *load.Saga) time.Time { return s.At[n].Published }
}

func completed(_ time.Time, s *load.Saga) time.Time { return s.Completed() }

// The way to confirmation, then that to completion.
var (
	toConfirmed = []stage{
		{"order: HTTP request read", start, arrived(load.OrderPlaced)},
		{"order: commit, relay OrderPlaced", arrived(load.OrderPlaced), published(load.OrderPlaced)},
		{"inventory: consume OrderPlaced", published(load.OrderPlaced), arrived(load.StockReserved)},
		{"inventory: reserve, commit, relay", arrived(load.StockReserved), published(load.StockReserved)},
		{"payment: consume, commit, open, authorize", published(load.StockReserved), arrived(load.PaymentAuthorized)},
		{"payment: commit answer, relay", arrived(load.PaymentAuthorized), published(load.PaymentAuthorized)},
		{"order: consume PaymentAuthorized", published(load.PaymentAuthorized), arrived(load.OrderConfirmed)},
		{"order: confirm, commit, relay", arrived(load.OrderConfirmed), published(load.OrderConfirmed)},
	}
	toCompleted = []stage{
		{"payment: consume, commit, capture", published(load.OrderConfirmed), arrived(load.PaymentCaptured)},
		{"payment: commit answer, relay", arrived(load.PaymentCaptured), published(load.PaymentCaptured)},
	}
)

// stageTable shows the mean of each stage, for means add up, and its share.
func stageTable(o outcome) string {
	title := fmt.Sprintf("\nWhere the time goes at %d orders/s, from POST", o.rate)
	return table(title, func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "stage\tmean ms\tp99 ms\tshare\t")
		whole := time.Duration(0)
		for _, s := range toConfirmed {
			whole += mean(spans(o, s))
		}
		for _, s := range toConfirmed {
			all := spans(o, s)
			fmt.Fprintf(w, "%s\t%s\t%s\t%.0f%%\t\n", s.name, ms(mean(all)), ms(quantile(all, .99)),
				100*ratio(float64(mean(all)), float64(whole)))
		}
		fmt.Fprintf(w, "confirmed\t%s\t\t100%%\t\n", ms(whole))
		for _, s := range toCompleted {
			all := spans(o, s)
			fmt.Fprintf(w, "%s\t%s\t%s\t\t\n", s.name, ms(mean(all)), ms(quantile(all, .99)))
		}
	})
}

// spans of a stage, sorted.
func spans(o outcome, s stage) []time.Duration {
	all := make([]time.Duration, len(o.sagas))
	for i := range o.sagas {
		all[i] = s.to(o.orders[i].Due, &o.sagas[i]).Sub(s.from(o.orders[i].Due, &o.sagas[i]))
	}
	slices.Sort(all)
	return all
}

func mean(all []time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(max(len(all), 1))
}

// quantile of a sorted list.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
