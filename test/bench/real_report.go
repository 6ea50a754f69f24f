package main

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// median is the one in the middle by rate, the lower of two.
func median(all []capacity) capacity {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b capacity) int { return cmp.Compare(a.rate(), b.rate()) })
	return sorted[(len(sorted)-1)/2]
}

// cores that something used meanwhile.
func (c capacity) cores(spent time.Duration) float64 { return spent.Seconds() / c.wall.Seconds() }

func (c capacity) spent() (total time.Duration) {
	for _, d := range c.cpu {
		total += d
	}
	return total
}

// each is the processor time of a saga.
func (c capacity) each() time.Duration { return c.spent() / time.Duration(max(c.sagas, 1)) }

func (c capacity) others() float64 { return max(0, c.cores(c.machine-c.spent())) }

func capacityTable(all map[string][]capacity, underWay int) string {
	title := fmt.Sprintf("\nSagas on Kafka and PostgreSQL, %d under way at a time", underWay)
	text := table(title, func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "round\tfloor sagas/s\tcores used\tby others\tplatform sagas/s\tcores used\tby others\tratio\t")
		for n := range all[floorName] {
			floor, platform := all[floorName][n], all[platformName][n]
			fmt.Fprintf(w, "%d\t%.0f\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t%.2f\t\n", n+1,
				floor.rate(), floor.cores(floor.spent()), floor.others(),
				platform.rate(), platform.cores(platform.spent()), platform.others(),
				ratio(platform.rate(), floor.rate()))
		}
	})
	floor, platform := median(all[floorName]).rate(), median(all[platformName]).rate()
	verdict := ""
	if of := ratio(platform, floor); of < wantedOfFloor {
		verdict = fmt.Sprintf(", below %.1f", wantedOfFloor)
	}
	return text + fmt.Sprintf("Medians: floor %.0f sagas/s, platform %.0f, ratio %.2f%s.\n", floor, platform,
		ratio(platform, floor), verdict)
}

// realTable shows who used the processor in the median rounds, and what bounds the platform.
func realTable(all map[string][]capacity) string {
	floor, platform := median(all[floorName]), median(all[platformName])
	names := slices.SortedFunc(maps.Keys(platform.cpu), func(a, b string) int {
		return cmp.Compare(platform.cpu[b], platform.cpu[a])
	})
	if len(names) == 0 {
		return "\nProcessor time is not known here: there is no /proc.\n"
	}
	row := func(c capacity, name string) string {
		spent, ran := c.cpu[name]
		if !ran {
			return "\t\t"
		}
		return fmt.Sprintf("%.0f\t%.0f%%\t", float64(spent.Microseconds())/float64(max(c.sagas, 1)),
			100*spent.Seconds()/c.spent().Seconds())
	}
	text := table("\nProcessor time in the median rounds", func(w *tabwriter.Writer) {
		fmt.Fprintln(w, "process\tfloor µs a saga\tshare\tplatform µs a saga\tshare\t")
		for _, name := range append([]string{floorName}, names...) {
			fmt.Fprintf(w, "%s\t%s%s\n", name, row(floor, name), row(platform, name))
		}
	})
	text += fmt.Sprintf("A saga takes %s ms of it on the floor and %s ms on the platform, ratio %.2f.\n",
		ms(floor.each()), ms(platform.each()), ratio(float64(floor.each()), float64(platform.each())))
	bound := "not the processor"
	if platform.cores(platform.spent())+platform.others() > busy*float64(runtime.NumCPU()) {
		bound = "the processor, most of it in " + names[0]
	}
	return text + fmt.Sprintf("What bounds the platform: %s (%.2f of %d cores, others %.2f).\n", bound,
		platform.cores(platform.spent()), runtime.NumCPU(), platform.others())
}
