package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/quadrille-platform/quadrille/platform/load"
)

func sagaTable(of string, outcomes []outcome) string {
	return table("\nSagas end to end: "+of+", open-loop load through HTTP", func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "orders/s\tsustained\tcompleted/s\tPOST → confirmed p50 ms\tp99\t"+
			"→ completed p50 ms\tp99\tcores used\tby others\trefused\t")
		for _, o := range outcomes {
			confirmed := spans(o, stage{from: start, to: published(load.OrderConfirmed)})
			completed := spans(o, stage{from: start, to: completed})
			sustained := "yes"
			if !o.sustained {
				sustained = fmt.Sprintf("no, %d behind", o.behind)
			}
			fmt.Fprintf(w, "%d\t%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%.2f\t%d\t\n", o.rate, sustained, o.completed,
				ms(quantile(confirmed, .5)), ms(quantile(confirmed, .99)),
				ms(quantile(completed, .5)), ms(quantile(completed, .99)), cores(o), others(o), o.refused)
		}
	})
}

// cores used, of those there are, from the first order to the last completion.
func cores(o outcome) string {
	if len(o.cpu) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f of %d", used(o), runtime.NumCPU())
}

func used(o outcome) float64 { return spent(o).Seconds() / wall(o) }

// others is how many cores programs that are not ours used: they slow ours down.
func others(o outcome) float64 { return max(0, (o.machine-spent(o)).Seconds()/wall(o)) }

// wall is the time from the first order to the last completion, in seconds.
func wall(o outcome) float64 { return float64(len(o.sagas)) / o.completed }

// spent is the processor time of all processes.
func spent(o outcome) (total time.Duration) {
	for _, d := range o.cpu {
		total += d
	}
	return total
}

// busy is the share of the cores from which on the processor is what bounds the platform.
const busy = .85

// cpuTable shows who uses the processor, and names the bottleneck.
func cpuTable(o outcome) string {
	names := slices.SortedFunc(maps.Keys(o.cpu), func(a, b string) int { return int(o.cpu[b] - o.cpu[a]) })
	if len(names) == 0 {
		return "\nProcessor time is not known here: there is no /proc.\n"
	}
	total := spent(o)
	text := table(fmt.Sprintf("\nProcessor time at %d orders/s", o.rate), func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "process\tµs a saga\tshare\t")
		for _, name := range names {
			fmt.Fprintf(w, "%s\t%.0f\t%.0f%%\t\n", name,
				float64(o.cpu[name].Microseconds())/float64(len(o.sagas)), 100*o.cpu[name].Seconds()/total.Seconds())
		}
	})
	longest := slices.MaxFunc(toConfirmed, func(a, b stage) int { return int(mean(spans(o, a)) - mean(spans(o, b))) })
	bound := "not the processor"
	if used(o)+others(o) > busy*float64(runtime.NumCPU()) {
		bound = "the processor, most of it in " + names[0]
	}
	return text + fmt.Sprintf("Bottleneck: %s (%s cores, others %.2f); longest stage: %s.\n",
		bound, cores(o), others(o), longest.name)
}
