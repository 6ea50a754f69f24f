package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

var (
	databases = []string{"sqlite", "postgres"}
	batches   = []int{1, 10, 100, 500}
	callers   = []int{1, 16, 128}
)

// What the handlers must reach on PostgreSQL: events a second in batches of 500 against batches of 1, and through the
// unit of work against a plain loop with the same statements.
const (
	wantedGain      = 8
	wantedInventory = 15
	wantedOfPlain   = 0.5
)

func handlerTable(figures map[result]float64) string {
	return table("\nHandlers, events/s by messages in a transaction", func(w *tabwriter.Writer) {
		fmt.Fprint(w, "service\tdatabase")
		for _, n := range batches {
			fmt.Fprintf(w, "\t%d", n)
		}
		fmt.Fprintln(w, "\t500 : 1\tplain loop 500\tunit : plain\t")
		for _, service := range benchmarked {
			for _, database := range databases {
				unit := func(n int) float64 { return figures[result{service, "Handler", database, n, "unit"}] }
				plain := figures[result{service, "Handler", database, 500, "plain"}]
				fmt.Fprintf(w, "%s\t%s", service, database)
				for _, n := range batches {
					fmt.Fprintf(w, "\t%s", count(unit(n)))
				}
				gain, ofPlain := ratio(unit(500), unit(1)), ratio(unit(500), plain)
				fmt.Fprintf(w, "\t%.1f×\t%s\t%.2f\t%s\n", gain, count(plain), ofPlain,
					verdict(service, database, gain, ofPlain))
			}
		}
	})
}

// verdict names what was missed, empty if nothing was.
func verdict(service, database string, gain, ofPlain float64) string {
	wanted := float64(wantedGain)
	if service == "inventory" {
		wanted = wantedInventory
	}
	var missed []string
	if database == "postgres" && gain < wanted {
		missed = append(missed, fmt.Sprintf("below %.0f×", wanted))
	}
	if ofPlain < wantedOfPlain {
		missed = append(missed, fmt.Sprintf("below %.1f of plain", wantedOfPlain))
	}
	return strings.Join(missed, ", ")
}

func callerTable(figures map[result]float64) string {
	return table("\nPOST /v1/orders, orders/s by concurrent callers (group commit)", func(w *tabwriter.Writer) {
		fmt.Fprint(w, "database")
		for _, n := range callers {
			fmt.Fprintf(w, "\t%d", n)
		}
		fmt.Fprintln(w, "\t128 : 1\t")
		for _, database := range databases {
			of := func(n int) float64 { return figures[result{"order", "Place", database, n, ""}] }
			fmt.Fprint(w, database)
			for _, n := range callers {
				fmt.Fprintf(w, "\t%s", count(of(n)))
			}
			fmt.Fprintf(w, "\t%.1f×\t\n", ratio(of(128), of(1)))
		}
	})
}

func table(title string, fill func(w *tabwriter.Writer)) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", title)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fill(w)
	_ = w.Flush() // to memory
	return b.String()
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func count(f float64) string {
	if f == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", f)
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
